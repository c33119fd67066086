import { capital } from './format.ts'
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
    'This browser lets the app do nothing in the background.',
    'Open the page in Chrome, Edge, Firefox or Safari, and not in a private window.',
  ],
  'unsupported-browser': [
    'This browser is too old.',
    'Update it: Chrome or Edge 100, Firefox 97, Safari 15.4, Samsung Internet 19 or newer.',
  ],
  'worker-timeout': ['The background part of the app does not answer.', 'It is asked again by itself.'],
  'protocol-mismatch': ['The app was updated meanwhile.', 'Reload the page once nothing waits in it.'],
  'storage-full': ['The device is full.', 'Free some space: delete files or apps.'],
  'storage-failed': ['The device did not save it.', 'It is tried again by itself.'],
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
  'sign-in-needed': [
    'You are signed out where the recordings are kept.',
    'Sign in again, then press Resume.',
  ],
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
 * The words that a person meets, in one place. Another language is one more object of the type `Texts`: where a text is
 * missing it does not compile.
 */
const english = {
  errors,
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
  piece: {
    parked: 'Needs you',
    encrypting: 'Being encrypted',
    again: 'Trying again',
    toUpload: 'To upload',
    elsewhere: 'Safe elsewhere',
    proof: 'Waiting for its proof',
    proved: 'Safe and proved',
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
  recovery: {
    looking: 'Looking at what is on this device…',
    nothing: 'Nothing waits on this device.',
    recordings: (count: number) => (count === 1 ? 'is on its way' : 'are on their way'),
    elsewhere: 'safe elsewhere',
    here: 'on this device only',
    you: (count: number) => (count === 1 ? 'waits for you' : 'wait for you'),
    goesOn: 'It goes on by itself.',
    goesOnWhileOpen: 'It goes on while this page is open, and at your next visit.',
    list: 'Which ones',
    finished: 'Nothing waits on this device any more',
    begun: (count: number) =>
      count === 1 ? '1 recording is on its way' : `${count} recordings are on their way`,
  },
  actions: {
    pause: 'Pause',
    pauseOf: (when: string) => `Pause the recording of ${when}`,
    discard: 'Discard',
    discardOf: (when: string) => `Discard the recording of ${when}`,
    verify: 'Verify and play',
    verifyOf: (when: string) => `Verify and play the recording of ${when}`,
    details: 'Details',
    paused: 'Paused',
    resumed: 'Resumed',
    discarded: 'Discarded',
  },
  discard: {
    recorded: (length: string, when: string) => `${length}, recorded ${when}.`,
    onlyHere: 'Only what this device knows of it goes: the copy elsewhere and its proof stay.',
    nowhereElse: (length: string, bytes: string) => `${length} of it (${bytes}) exist nowhere else.`,
    notProved: 'It is not proved yet.',
    stays: 'What is proved stays.',
    understand: (length: string) => `I understand that ${length} will be lost for good.`,
    understandUnfinished: 'I understand that this recording is not finished yet.',
  },
  check: {
    reading: 'Looking for the recording',
    pieces: 'Checking and opening each piece',
    found: 'The list of its pieces and the key are checked',
    checked: (done: number, all: number) => `Checked ${done} of ${all}`,
  },
  keys: {
    groupNumber: (number: number) => `Group ${number}`,
    recordingFor: (name: string) => `Recording for ${name}.`,
    keys: 'Keys',
    save: 'Save the key',
    holds: {
      'only-here': 'What opens these recordings is on this device only: save a copy.',
      kept: 'This device records and opens. To record, it needs only the public part.',
      tab: 'This device records, and opens until this tab closes. To record, it needs only the public part.',
      elsewhere: 'This device records only: it has the public part, which cannot open what it recorded.',
    },
    where: {
      'only-here':
        'On this device only, as far as is known. Save a copy, then prove that you have it: until then it is not removed here.',
      kept: 'Kept on this device: someone holding it unlocked could open the recordings.',
      tab: 'Not kept on this device: forgotten when this tab closes.',
      elsewhere: 'Not on this device: it can record for the group, and cannot open its recordings.',
    },
    proveTitle: (name: string) => `Your copy of the key of “${name}”`,
    notProved: 'That is not the end of this key, nor its key file. Look at your copy again.',
  },
  reader: {
    opensNothing: 'This is a recording key, which opens nothing. Ask for the group key: 43 characters.',
    looking: 'Looking for recordings…',
    found: (count: number) =>
      count === 0 ? 'No recording of this group yet.' : count === 1 ? '1 recording.' : `${count} recordings.`,
    open: 'Check and play',
    openOf: (when: string) => `Check and play the recording of ${when}`,
    close: 'Close',
    whole: 'Whole: ended by whoever recorded it.',
    goingOn: (when: string) => `Going on, or interrupted. Last heard of ${when}.`,
    video: 'Recording',
    saveVideo: 'Save the video',
    saveProof: 'Save the proof',
    eachSecond: 'What is proved, second by second',
    span: (from: string, to: string) => `${from} to ${to}`,
    proved: (span: string, existed: string) => `${span}: proved. ${existed}`.trim(),
    existed: (when: string) => `It existed before ${when}.`,
    notProved: (span: string, check: string) => `${span}: not proved (${check}).`,
    ofWhich: (proved: string, all: string) => `${proved} of ${all} is proved.`,
    endings: {
      open: 'It goes on, or its end is not proved yet.',
      complete: '',
      interrupted: 'It was interrupted.',
      discarded: 'It was discarded on the device that made it.',
    },
    failed: 'It could not be checked',
  },
  remedy: {
    resume: 'Resume',
    resumeAll: (count: number) => `Resume all ${count}`,
    resumeOf: (when: string) => `Resume the recording of ${when}`,
    upload: 'Upload now',
    uploadAnyway: 'Upload on mobile data',
    offHere: (length: string) => `Uploads are off: ${length} is on this device only.`,
    wifiHere: (length: string) => `Waiting for Wi-Fi: ${length} is on this device only.`,
  },
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
    stillSaving: (saved: string, unsaved: string) =>
      `${saved} is safe on this device; the last ${unsaved} are in this page only.`,
    stillSavingNext: 'It is tried again by itself while this page is open. To be sure, save them as a file.',
    saveFile: 'Save as a file',
    continued: (isKept: boolean) => ({
      what: 'The recording was cut off for a while, and goes on in a new one.',
      next: isKept ? 'What was recorded before is kept.' : 'What only this device had of it is gone.',
    }),
    unsupported: 'This browser cannot record video. Use Chrome, Edge or Firefox.',
  },
  storage: {
    lessThanAMinute: 'less than a minute',
    minutes: (count: number) => `${count} min`,
    hours: (count: number) => `${count} h`,
    soonFull: 'This device is almost full: less than two minutes of video have room.',
    backlog: 'Much is not uploaded yet.',
    waits: (length: string, bytes: string) => `${capital(length)} of video (${bytes}) wait to be uploaded.`,
    upload: 'Connect to a network so that uploads free space, or delete other files.',
    deleteOthers: 'Delete other files or apps before you record.',
    held: (length: string) => `${capital(length)} of video on this device until it is proved.`,
    free: (length: string) => `Room for at least ${length} more.`,
    protection: {
      kept: 'The browser will not clear it to make room.',
      refused: 'The browser may clear it when space runs out: installing this app usually helps.',
      unknown: '',
    },
    lost: (count: number) =>
      count === 1
        ? 'A recording is gone from this device: its data were cleared.'
        : `${count} recordings are gone from this device: their data were cleared.`,
    lostOne: (when: string, safe: string) => `${when}: ${safe}`,
    lostAllSafe: (length: string) => `all of its ${length} is safe elsewhere.`,
    lostSome: (safe: string, length: string) => `${safe} of ${length} is safe elsewhere, the rest is lost.`,
    lostNothingSafe: (length: string) => `all of its ${length} is lost.`,
    lostSeen: 'I have read this',
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
