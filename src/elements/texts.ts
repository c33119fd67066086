import type { ErrorCode } from '../protocol/errors.ts'

/** What happened, and what to do about it. */
type Both = readonly [what: string, next: string]

const OURS: Both = [
  'Something in this app went wrong.',
  'Nothing was deleted. Reload the page; if it stays, tell whoever runs it.',
]
const THEIRS: Both = [
  'The place that keeps the recordings is set up wrongly.',
  'Nothing was deleted. Tell whoever runs it, then press Resume.',
]
const SLOW: Both = [
  'The place that keeps the recordings does not answer as it should.',
  'It is asked again by itself.',
]
const KEEP: Both = [
  'A part of this recording can no longer be read on this device.',
  'Keep the device, and tell whoever runs the app.',
]

const errors: Readonly<Record<ErrorCode, Both>> = {
  'bad-message': OURS,
  'unknown-session': [
    'This recording is no longer on this device.',
    'Somebody has cleared the data of this site.',
  ],
  'session-exists': OURS,
  'session-ended': ['This recording has ended already.', 'Press Record to start a new one.'],
  'index-taken': OURS,
  'chunk-too-large': OURS,
  'hash-mismatch': OURS,
  'not-confirmed': ['This recording is not proved yet.', 'Say that you want to lose it, or wait.'],
  'bad-input': OURS,
  'no-service-worker': [
    'This page can do nothing in the background.',
    'Allow cookies. Open the secure address in Chrome, Edge, Firefox or Safari, not in private.',
  ],
  'unsupported-browser': [
    'This browser is too old.',
    'Update it: Chrome or Edge 100, Firefox 97, Safari 15.4, Samsung Internet 19 or newer.',
  ],
  'worker-timeout': ['The background part of the app does not answer.', 'It is asked again by itself.'],
  'protocol-mismatch': ['The app was updated meanwhile.', 'Reload the page once nothing waits in it.'],
  'storage-full': ['The device is full.', 'Free some space: delete files or apps.'],
  'storage-failed': ['The storage of this device fails.', 'It is tried again by itself.'],
  'recorder-failed': [
    'The camera stopped.',
    'What was recorded is kept. Check camera and microphone, then press Record.',
  ],
  'payload-unreadable': KEEP,
  'payload-corrupt': KEEP,
  unreachable: ['There is no connection.', 'It goes on by itself with the next one.'],
  timeout: SLOW,
  'server-error': SLOW,
  throttled: ['The place that keeps the recordings is busy.', 'It is asked again by itself.'],
  'sign-in-needed': ['You are signed out where the recordings are kept.', 'Sign in again to go on.'],
  'address-mismatch': THEIRS,
  'bad-answer': SLOW,
  'rejected-by-store': [
    'The place that keeps the recordings does not take this one.',
    'Tell whoever runs it, then press Resume.',
  ],
  'completion-failed': [
    'The app has not heard yet that this recording is safe.',
    'It is told again by itself.',
  ],
  'copies-missing': ['Not all copies are made yet.', 'It goes on by itself.'],
  'anchor-rejected': THEIRS,
  'anchor-unseen': ['The public proof is not there yet.', 'It is asked for again by itself.'],
  forked: [
    'Somebody else signs as this recording.',
    'Keep the device: what is on it stays, and what was proved before stands.',
  ],
  'wrong-chain': THEIRS,
  'nodes-disagree': SLOW,
  'other-destination': [
    'The app was set up for another place than this recording was begun for.',
    'Nothing was deleted. Tell whoever runs it.',
  ],
  aborted: SLOW,
  defect: OURS,
}

/**
 * The words of the elements, in one place. Another language is one more object of the type `ElementTexts`: where a text
 * is missing it does not compile.
 */
export const english = {
  errors,
  notice: {
    dismiss: 'Dismiss',
    again: 'Try again.',
    next: 'Reload the page and try again.',
  },
  state: {
    recording: 'Recording',
    local: 'Uploading',
    proof: 'Waiting for its proof',
    done: 'Safe and proved',
    doneWithGap: 'Safe and proved, with a gap',
    doneInterrupted: 'Safe and proved up to the interruption',
    empty: 'Empty: nothing was saved',
    paused: 'Paused',
    off: 'Uploads are off',
    wifi: 'Waiting for Wi-Fi',
    you: 'Needs you',
    network: 'Waiting for a connection',
    later: 'Waiting to try again',
  },
  why: {
    pausedToo: 'You have paused it.',
    paused: 'You have paused it: press Resume to go on.',
    off: 'Nothing leaves this device until you allow uploads.',
    wifi: 'It goes on by itself with Wi-Fi.',
    you: 'It was not taken.',
    nextTry: (wait: string) => `Next try in ${wait}.`,
  },
  safe: {
    none: (all: string) => `${all}, on this device only.`,
    some: (stored: string, all: string) => `${stored} of ${all} is safe elsewhere.`,
    all: (all: string) => `All of ${all} is safe elsewhere.`,
    unproved: 'When it was made is not proved yet.',
    pieces: (stored: number, all: number) => `${stored} of ${all} pieces are safe elsewhere.`,
    nothing: 'Nothing of it is saved yet.',
    bar: 'Proved',
    lost: (count: number) => (count === 1 ? '1 piece lost' : `${count} pieces lost`),
  },
  upload: {
    bar: 'Upload',
    of: (done: string, all: string) => `${done} of ${all}`,
    soon: 'a few seconds left',
    left: (time: string) => `about ${time} left`,
  },
  recovery: {
    looking: 'Looking at what is on this device…',
    nothing: 'Nothing waits on this device.',
    recordings: (count: number) => (count === 1 ? 'is on its way' : 'are on their way'),
    elsewhere: 'safe elsewhere',
    here: 'on this device only',
    you: (count: number) => (count === 1 ? 'waits for you' : 'wait for you'),
    goesOn: 'It goes on by itself.',
    goesOnWhileOpen: 'It goes on while this page is open, and at your next visit.',
    title: 'What is on its way',
    list: 'Which ones',
    finished: 'Nothing waits on this device any more',
    begun: (count: number) =>
      count === 1 ? '1 recording is on its way' : `${count} recordings are on their way`,
  },
  lost: {
    what: (count: number) =>
      `${count === 1 ? 'A recording is' : `${count} recordings are`} gone from this device: its data were cleared.`,
    next: 'What is safe elsewhere opens with the key of its group. Installing this app usually keeps the rest.',
    allSafe: (length: string) => `all of its ${length} is safe elsewhere.`,
    some: (safe: string, length: string) => `${safe} of ${length} is safe elsewhere, the rest is lost.`,
    nothingSafe: (length: string) => `all of its ${length} is lost.`,
    unmeasuredSafe: 'all of it is safe elsewhere.',
    unmeasured: 'what of it was not uploaded yet is lost.',
    seen: 'I have read this',
  },
  status: {
    pause: 'Pause',
    pauseOf: (when: string) => `Pause the recording of ${when}`,
    resumed: 'Resumed',
    unknown: 'This device knows nothing of this recording.',
  },
  remedy: {
    resume: 'Resume',
    resumeAll: (count: number) => `Resume all ${count}`,
    resumeOf: (when: string) => `Resume the recording of ${when}`,
    signIn: 'Sign in',
    signInOf: (when: string) => `Sign in for the recording of ${when}`,
    freeSpace: 'Free space',
    almostFull: 'This device is almost full.',
    upload: 'Upload now',
    uploadAnyway: 'Upload on mobile data',
    offHere: (length: string) => `Uploads are off: ${length} is on this device only.`,
    wifiHere: (length: string) => `Waiting for Wi-Fi: ${length} is on this device only.`,
  },
  recorder: {
    record: 'Record',
    preview: 'What is being recorded',
    hint: 'Each piece is encrypted and saved as you record. You can leave at any time.',
    length: 'Recorded',
    noGroup: { what: 'There is nobody to record for.', next: 'Say first who may open the recording.' },
    stop: 'Stop',
    saving: 'Saving',
    failedNext: 'Press Record to start a new recording.',
    stopped: (length: string) => `Recording stopped. ${length} saved on this device.`,
    allSaved: (length: string) => `✓ ${length}`,
    allSavedSpoken: (length: string) => `${length} saved on this device`,
    notSaved: (length: string) => `… ${length}`,
    notSavedSpoken: (length: string) => `The last ${length} are not saved yet`,
    stalled: (what: string, next: string, held: string, isPaused: boolean) =>
      `${what} ${next} ${isPaused ? 'Recording is paused until there is room.' : 'Recording goes on.'} Keep this tab open: it alone holds ${held}.`,
    silent: 'The camera gives nothing: what happens now may not be recorded. Press Stop, then Record.',
    stillSaving: (saved: string, unsaved: string) => ({
      what: `${saved} is safe on this device; the last ${unsaved} are in this page only.`,
      next: 'It is tried again by itself while this page is open. To be sure, save them as a file.',
    }),
    saveFile: 'Save as a file',
    continued: (isKept: boolean) => ({
      what: 'The recording was cut off for a while, and goes on in a new one.',
      next: isKept ? 'What was recorded before is kept.' : 'What only this device had of it is gone.',
    }),
    unsupported: 'This browser cannot record video. Use Chrome, Edge or Firefox.',
  },
  source: {
    noMicrophone: 'No microphone: recording without sound.',
    noCamera: 'There is no camera here, or this page may not use it.',
    cameraRefused:
      'This page may not use the camera. Allow it in the site settings of your browser, then try again.',
    cameraInUse: 'Another app uses the camera. Close it, then try again.',
  },
  sourceState: {
    pictureLost: 'The camera is gone: no picture is recorded. The sound goes on.',
    soundLost: 'The microphone is gone: no sound is recorded. The picture goes on.',
    pictureMuted: 'The camera gives no picture at the moment.',
    soundMuted: 'The microphone gives no sound at the moment.',
    nothingNow: 'Neither picture nor sound comes at the moment.',
    gone: 'Recording ended: camera and microphone are gone.',
    pictureGone: 'Recording ended: the camera is gone.',
    goneNext:
      'What was recorded until then is kept, marked as interrupted. Press Record to go on in a new one.',
  },
}

/** Every text of the elements. */
export type ElementTexts = typeof english

/** The texts in the page's language. */
export let texts: ElementTexts = english

/** Sets the language of all elements of the page; those that are there already take it with their next change. */
export function setTexts(next: ElementTexts): void {
  texts = next
}
