/**
 * The words that a person meets, in one place. Another language is one more object of the type `Texts`: where a text is
 * missing it does not compile.
 */
const english = {
  recorder: {
    stop: 'Stop',
    saving: 'Saving',
    recording: 'Recording',
    failed: 'Recording failed',
    failedNext: 'Press Record to start a new recording.',
    stopped: (length: string) => `Recording stopped. ${length} saved on this device.`,
    allSaved: (length: string) => `✓ ${length}`,
    allSavedSpoken: (length: string) => `${length} saved on this device`,
    notSaved: (length: string) => `⏳ ${length}`,
    notSavedSpoken: (length: string) => `The last ${length} are not saved yet`,
    heldUp: (what: string, next: string, held: string, isPaused: boolean) =>
      `${what} ${next} ${isPaused ? 'Recording is paused until there is room.' : 'Recording goes on.'} Keep this tab open: it alone holds ${held}.`,
    unsupported: 'This browser cannot record video. Use Chrome, Edge or Firefox.',
  },
  source: {
    testPictureWanted: 'Recording a test picture, as the address of this page asks.',
    testPicture: 'Recording a test picture: it proves nothing.',
    noMicrophone: 'No microphone: recording without sound.',
    noCamera: 'There is no camera here, or this page may not use it.',
    cameraRefused:
      'This page may not use the camera. Allow it in the site settings of your browser, then press Record again.',
    cameraInUse: 'Another app uses the camera. Close it, then press Record again.',
    stamp: 'TEST PICTURE · NO EVIDENCE',
  },
  sourceState: {
    live: '',
    pictureLost: 'The camera is gone: no picture is recorded. The sound goes on.',
    soundLost: 'The microphone is gone: no sound is recorded. The picture goes on.',
    pictureMuted: 'The camera gives no picture at the moment.',
    soundMuted: 'The microphone gives no sound at the moment.',
    nothingNow: 'Neither picture nor sound comes at the moment.',
    gone: 'Recording ended: camera and microphone are gone.',
    pictureGone: 'Recording ended: the camera is gone.',
    goneNext:
      'What was recorded until then is kept, marked as interrupted. Press Record to go on in a new recording.',
  },
}

export type Texts = typeof english

/** The texts in the language of this build. */
export const texts: Texts = english
