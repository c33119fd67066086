import { capital } from '../elements/format.ts'
import { english as ofElements } from '../elements/texts.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'

/** What was found when a recording was checked, and what to do. */
type Both = readonly [what: string, next: string]

const LATER = 'Check the network and try again: this says nothing about the recording.'
const NOT_PROVED =
  'Do not rely on what it shows. Ask whoever sent you here, and try again from another place.'

const verification: Readonly<Record<VerificationCode, Both>> = {
  'bad-input': ['That is no recording that can be looked for.', 'Copy the key, or the link, again.'],
  'chain-unreachable': ['The public record gives no answer.', LATER],
  'chain-answer': ['The public record gives an answer that makes no sense.', LATER],
  'not-registered': [
    'The public record knows no such recording.',
    'If it was begun just now, try again in a minute.',
  ],
  'heads-withheld': ['Whoever was asked for the public record leaves a part of it out.', LATER],
  'head-signature': ['Nothing in the public record is signed by this recording.', NOT_PROVED],
  'gateway-unreachable': ['The place that keeps the recording gives no answer.', LATER],
  'page-missing': [
    'A part of the list of its pieces is not there.',
    'Try again later: somebody may have it still.',
  ],
  'page-address': ['A part of the list of its pieces is not the one that was proved.', NOT_PROVED],
  'page-malformed': ['A part of the list of its pieces cannot be read.', NOT_PROVED],
  'first-page': [
    'The beginning of the list of its pieces is not there, without which nothing opens.',
    'Try again later: somebody may have it still.',
  ],
  root: ['The list of its pieces is not the one that was proved.', NOT_PROVED],
  groups: ['The list of its pieces is that of another recording.', NOT_PROVED],
  group: ['It was made for another group.', 'Look for the key of that group.'],
  key: ['The key does not open it.', 'Look for the key of the group that it was made for.'],
  'chunk-missing': ['A piece of it is not there.', 'Try again later: somebody may have it still.'],
  'chunk-address': ['A piece of it is not the one that was proved.', NOT_PROVED],
  'chunk-size': ['A piece of it is not as long as the one that was proved.', NOT_PROVED],
  'chunk-encrypted-hash': ['A piece of it is not the one that was proved.', NOT_PROVED],
  'chunk-decrypt': ['A piece of it does not open.', NOT_PROVED],
  'chunk-plaintext-hash': ['A piece of it opens to something else than was proved.', NOT_PROVED],
}

/**
 * The words that a person meets, in one place, with those of the elements. Another language is one more object of the
 * type `Texts`: where a text is missing it does not compile.
 */
const english = {
  ...ofElements,
  page: {
    tagline: 'Video evidence that outlives this tab',
    description: 'Records video evidence that outlives the tab it was recorded in.',
    recordings: 'Recordings',
    empty:
      'Nothing recorded on this device yet. Each recording appears here with how much of it is safe elsewhere, and can be verified and played once it is proved.',
    cancel: 'Cancel',
    done: 'Done',
    reload: 'Reload',
  },
  update: {
    ready: 'New version',
    go: 'Update',
    otherTab: 'Another tab records',
  },
  cover: {
    hide: 'Hide',
    title: 'Clock',
    back: 'Back',
  },
  privacy: {
    title: 'On this device',
    notify: 'Notify me when uploads have finished',
    notifyWords: 'While no page of the app is open. The words tell nothing of recordings.',
    notifyOff: 'Notifications are not allowed for this page: allow them in the settings of your browser.',
    finished: 'Finished',
    finishedWords: 'There is nothing to do.',
    traces: 'Delete traces of what is proved',
    tracesTitle: 'Delete these traces?',
    tracesGo: 'Delete them',
    tracesNone: 'No proved recording is listed on this device.',
    tracesOf: (count: number) =>
      count === 1
        ? '1 proved recording is listed on this device.'
        : `${count} proved recordings are listed on this device.`,
    tracesWhy: (count: number) =>
      `${count === 1 ? 'The recording that is safe elsewhere and proved goes' : `The ${count} recordings that are safe elsewhere and proved go`} from this list. ${count === 1 ? 'Its copy and its proof' : 'Their copies and proofs'} stay: whoever has the group key finds them. What is not proved yet stays here.`,
    tracesGone: 'Deleted',
  },
  report: {
    pieces: (count: number) => (count === 1 ? '1 piece' : `${count} pieces`),
    piecesNamed: (count: number, which: string) => `${count === 1 ? 'piece' : 'pieces'} ${which}`,
    nothing: 'Nothing of it is listed.',
    none: (all: string) => `None of ${all} is proved.`,
    all: (all: string, existed: string) => `All proved: ${all}. ${existed}`,
    some: (proved: number, all: string, existed: string) => `Proved: ${proved} of ${all}. ${existed}`,
    existed: (count: number, when: string) =>
      `${count === 1 ? 'It' : 'They'} existed before ${when}, by the clock of the public record.`,
    check: (code: string, message: string) => `Check: ${code}. ${message}`,
    wrong: {
      'gateway-unreachable': (_count: number) =>
        'could not be fetched: the place that keeps the recording gave no answer',
      'chunk-missing': (count: number) =>
        `${count === 1 ? 'is' : 'are'} no longer where the recording is kept`,
      'chunk-address': (count: number) =>
        `${count === 1 ? 'is' : 'are'} not what was proved: something else was sent`,
      'chunk-decrypt': (count: number) => `${count === 1 ? 'does' : 'do'} not open`,
      other: (count: number) =>
        count === 1 ? 'is not what was proved of it' : 'are not what was proved of them',
    },
    unreadable: 'in no part of its list that can be read',
    unpublished: 'since never made public',
    missing: (why: string, what: string) => `Missing, ${why}: ${what}. The recording jumps there.`,
    lost: (entries: number) =>
      `${entries === 1 ? '1 line' : `${entries} lines`} of the list of its pieces cannot be read, and may name more.`,
    forked: (block: number, entries: number) =>
      `From a later time on (block ${block}) the list of its pieces contradicts what was proved before, which stands.${
        entries === 0
          ? ''
          : ` What else it lists (${entries === 1 ? '1 line' : `${entries} lines`}) is left out.`
      }`,
    goesOn: (block: number | undefined) =>
      block === undefined
        ? 'There is another version of the list of its pieces, which cannot be read.'
        : `The public record goes on (from block ${block}) beyond what is read of one recording.`,
    unsigned: (count: number) =>
      `Left out, since not signed by the recording’s key: ${count === 1 ? '1 note' : `${count} notes`} in the public record.`,
    repeated: (which: string) => `Listed more than once: ${which}. The first of each counts.`,
    endings: {
      open: 'Its list has no end: the recording goes on, or its end is not proved yet.',
      interrupted: 'The recording was interrupted: its recorder died, or lost something.',
      discarded: 'The recording was discarded on the device that made it.',
    },
    run: (from: number, to: number) => `${from} to ${to}`,
    more: (count: number) => ` and ${count} more`,
  },
  /** What a recording says of itself. */
  notes: {
    testPicture: 'This is a test picture, and no evidence: whoever recorded it had no camera.',
    continuedFrozen:
      'It goes on with another recording: the page that made that one had been stopped for a while.',
    continuedLost: 'It goes on with another recording, which its device had lost.',
    source: (when: string, what: string) => `From ${when} on, as its recorder wrote: ${what}.`,
    picture: {
      live: 'the camera gives a picture',
      muted: 'the camera gives no picture for now',
      lost: 'the camera is gone',
    } as Readonly<Record<string, string>>,
    sound: {
      live: 'the microphone gives sound',
      muted: 'the microphone gives no sound for now',
      lost: 'the microphone is gone',
    } as Readonly<Record<string, string>>,
    own: (when: string, what: string) => `Its app wrote at ${when}: ${what}`,
    unreadable: (when: string) => `Its app wrote something at ${when} that does not open.`,
    more: (count: number) => (count === 1 ? 'It says 1 thing more.' : `It says ${count} things more.`),
  },
  /** What is under "Details", for whoever looks into it, has the field's own words. */
  details: {
    pieces: 'Pieces',
    session: 'Session',
    sessionName: 'session name',
    link: 'Link without a key',
    linkName: 'link without a key',
    continues: 'Goes on with session',
    pageName: 'address of the newest page',
    open: 'Open',
    witnessed: 'Witnessed',
    byNobody: 'by nobody: its store has it',
    existed: 'Existed before',
    block: (when: string, number?: number) => `${when}, block ${number}`,
    covers: 'Covers',
    entries: (count: number) => (count === 1 ? '1 entry of the log' : `${count} entries of the log`),
    root: 'Log root',
    rootName: 'root of the log',
    page: 'Newest page',
    transaction: 'Transaction',
    transactionName: 'transaction',
    partOf: (some: string, all: string) => `${some} of ${all}`,
    pieceName: (index: number) => `address of piece ${index}`,
    retries: (count: number) => (count === 1 ? '1 retry' : `${count} retries`),
    copy: (what: string, value: string) => `Copy ${what} ${value}`,
  },
  help: {
    title: 'What happens when you close this tab',
    saved:
      'A second counts as saved (✓) once it is stored, encrypted, on this device. From then on the app looks after it in the background: it uploads it, has its fingerprint written where everybody can see it, and deletes it here only once that is done.',
    closed:
      'If the tab closes while you record, the seconds marked ✓ are kept and the recording is finished without you, as “interrupted”. Only the last few seconds, not marked yet, can be lost.',
    later:
      'If the whole browser is closed, or the network is gone for long, uploads go on when the browser gives the app time again, or the next time you open this page. Nothing has to be tapped.',
  },
  noCamera: {
    title: 'Nothing is recorded',
    test: 'To try the app without a camera you can record a test picture. It is kept and uploaded like a recording, and says in each of its frames that it is no evidence.',
    record: 'Record a test picture',
    again: 'Try the camera again',
    none: 'Do not record',
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
  actions: {
    recordingOf: (when: string, state: string) => `Recording of ${when}: ${state}`,
    discard: 'Discard',
    discardOf: (when: string) => `Discard the recording of ${when}`,
    verify: 'Verify and play',
    verifyOf: (when: string) => `Verify and play the recording of ${when}`,
    details: 'Details',
    discarded: 'Discarded',
  },
  discard: {
    title: 'Discard this recording?',
    keep: 'Keep it',
    recorded: (length: string, when: string) => `${length}, recorded ${when}.`,
    onlyHere: 'Only what this device knows of it goes: the copy elsewhere and its proof stay.',
    nowhereElse: (length: string, bytes: string) => `${length} of it (${bytes}) exist nowhere else.`,
    notProved: 'It is not proved yet.',
    stays: 'What is proved stays.',
    understand: (length: string) => `I understand that ${length} will be lost for good.`,
    understandUnfinished: 'I understand that this recording is not finished yet.',
  },
  check: {
    verifying: 'Verifying',
    failed: 'Verification failed',
    ofPiece: (index: number) => `Piece ${index}. `,
    network: 'Check the network and try again.',
    codes: verification,
    ready: (found: string) => `${found} Ready to play.`,
    close: 'Close',
    reading: 'Looking for the recording',
    pieces: 'Checking and opening each piece',
    found: 'The list of its pieces and the key are checked',
    checked: (done: number, all: number) => `Checked ${done} of ${all}`,
  },
  player: {
    whole: 'Verified recording',
    part: 'Verified part of the recording',
    save: (size: string) => `Download (${size})`,
    unplayable:
      'This cannot be played by itself: the recording’s beginning, which tells players its format, is not in it. It can be saved all the same.',
  },
  keys: {
    recordingForLabel: 'Recording for',
    noGroup:
      'A group is whoever may open your recordings. Create one, or join one with a key that you were given.',
    newGroup: 'New group',
    newGroupWords:
      'The group gets a key, which opens its recordings. It stays on this device until you have saved a copy and proved it.',
    name: 'Name',
    create: 'Create group',
    join: 'Join',
    keepGroup: 'Keep the group key on this device',
    keepGroupWords: 'Otherwise it is forgotten when this tab closes. Recording goes on without it.',
    recordingKeyLabel: 'Recording key (public): opens nothing',
    recordingKeyWords: 'Another phone that joins with it can record for the group.',
    copyRecordingKey: 'Copy the recording key',
    groupKeyLabel: 'Group key (secret): opens the recordings',
    copy: 'Copy the group key',
    copied: 'Copied',
    copyByHand: 'Select it and copy by hand',
    copyByHandSpoken: 'The browser did not allow copying. Select the text and copy it by hand.',
    download: 'Save it as a file',
    copyLink: 'Copy a link that opens all',
    showCode: 'Show it as a code',
    hideCode: 'Hide the code',
    codeName: 'QR code of the link that opens all recordings',
    codeWords:
      'The camera of another device opens all recordings by this code: let nobody see it who is not to have the key.',
    haveCopy: 'I have a copy',
    forgetHere: 'Forget it here',
    enter: 'Enter the group key',
    enterWhy: 'It opens the recordings of the group.',
    lastFour: 'Its last four characters',
    orFile: 'Or the key file that you saved',
    keepToo: 'Keep the key on this device as well',
    keepTooWords: 'Only to play recordings here. Without it someone holding this device can open nothing.',
    isCopy: 'That is my copy',
    forget: 'Forget the key',
    forgetTitle: (name: string) => `Forget the key of “${name}” here?`,
    forgetWords:
      'Recordings can then be opened here only after the key is entered again. If nobody else has it, they are lost to everyone for good. This device can still record for the group.',
    joinTitle: 'Join a group',
    joinWhy:
      'Paste the recording key that a member gave you. To open recordings too, paste the group key, or the text of its key file.',
    joinLabel: 'Recording key or group key',
    joinDone: 'Join group',
    keyOf: (name: string) => `Key of “${name}”`,
    keysOf: (name: string) => `Keys of “${name}”`,
    keyLabel: 'Group key',
    use: 'Use key',
    lets: {
      group: 'A group key: records for the group, and opens its recordings.',
      recording: 'A recording key: this device can record for the group, and cannot open its recordings.',
    },
    opensNothing: 'This is a recording key, which opens nothing. Ask for the group key: 43 characters.',
    ofAnother: (name: string, id: string) =>
      `This is the key of another group. Look for the key of “${name}”, id ${id}….`,
    toOpen: 'The recording is encrypted for this group. Only its key opens it.',
    unnamed: (id: string) => `the group ${id}`,
    wrong: {
      empty: 'Paste the key first.',
      isId: 'This is the group’s public id. Ask for its key, or for its recording key.',
      characters: 'A key has only letters, digits, “-” and “_”. Copy it again, without spaces or quotes.',
      groupLength: (length: number) =>
        `A group key has 43 characters; this has ${length}. Copy it again, from the first to the last.`,
      recordingLength: (length: number) =>
        `A recording key has 50 characters; this has ${length}. Copy it again, from the first to the last.`,
    },
    file: {
      title: (name: string) => `Holdfast group key for “${name}”`,
      whoHas: 'Whoever has the key can open the recordings of this group. Without it nobody can.',
      toRecord: 'To record for the group, a phone needs the recording key alone, which opens nothing.',
    },
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
    holdsAtRisk:
      'What opens these recordings is on this device only, and the browser may clear it when space runs out: save a copy now.',
    whereAtRisk: 'The browser did not agree to keep it: it may clear it when space runs out.',
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
    title: 'Holdfast reader',
    tagline: 'Finds, checks and plays the recordings of a group',
    keyWords: 'It stays in this tab: it is sent to nobody and kept nowhere.',
    orFile: 'Or a key file',
    scan: 'Scan a code',
    scanStop: 'Stop the camera',
    scanVideo: 'What the camera sees',
    scanning: 'Hold the code before the camera.',
    scanOther: 'This code has no key of a group. Show the one of the device that has the key.',
    scanHint: 'Were you shown a QR code? The camera app of a phone opens it here, too.',
    find: 'Find the recordings',
    opensNothing: 'This is a recording key, which opens nothing. Ask for the group key: 43 characters.',
    looking: 'Looking for recordings…',
    found: (count: number) =>
      count === 0 ? 'No recording of this group yet.' : count === 1 ? '1 recording.' : `${count} recordings.`,
    newest: (count: number) => `The newest ${count} recordings. There are older ones.`,
    older: 'Show older recordings',
    other: 'Use another key',
    open: 'Check and play',
    openOf: (when: string) => `Check and play the recording of ${when}`,
    close: 'Close',
    closeOf: (when: string) => `Close the recording of ${when}`,
    saysEnded: 'The public record says that it has ended. Not checked yet.',
    saysGoingOn: (when: string) => `Last heard of ${when}. Not checked yet.`,
    checkedEnded: 'Checked: ended by whoever recorded it.',
    checkedGoingOn: (when: string) => `Checked: it goes on, or was interrupted. Last heard of ${when}.`,
    video: 'Recording',
    saveVideo: 'Save the video',
    saveProof: 'Save the proof',
    eachSecond: 'What is proved, second by second',
    span: (from: string, to: string) => `${from} to ${to}`,
    proved: (span: string, existed: string) => `${span}: proved. ${existed}`.trim(),
    existed: (when: string) => `It existed before ${when}.`,
    notProved: (span: string, check: string) => `${span}: not proved (${check}).`,
    opening: 'Looking for its beginning…',
    soFar: (proved: string) => `${proved} is proved so far.`,
    ofWhich: (proved: string, all: string) => `${proved} of ${all} is proved.`,
    restListed: (percent: number) => `The rest is still being looked for: ${percent} % of its list is read.`,
    restChecked: (percent: number) => `The rest is still being checked: ${percent} % is done.`,
    restStopped: 'The rest could not be checked.',
    allChecked: 'All of it was checked.',
    endings: {
      open: 'It goes on, or its end is not proved yet.',
      complete: '',
      interrupted: 'It was interrupted.',
      discarded: 'It was discarded on the device that made it.',
    },
    failed: 'It could not be checked',
  },
  policy: {
    label: 'Upload',
    always: 'Always, at once',
    unmetered: 'On Wi-Fi, not on mobile data',
    paused: 'Not now',
    pausedWords: 'Uploads are off. Recordings stay on this device alone until you let them go.',
    wifiWords: 'Waiting for Wi-Fi. Recordings stay on this device alone until then.',
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
      kept: 'The browser will not clear recordings to make room.',
      refused: 'The browser may clear recordings when space runs out: installing this app usually helps.',
      unknown: '',
    },
    install: 'Install the app',
  },
  signIn: {
    title: 'Sign in',
    why: 'The place that keeps the recordings asks who you are. Enter the access code that you were given for it. It stays on this device, so that uploads go on without you.',
    code: 'Access code',
    go: 'Sign in',
  },
  space: {
    uploads: 'Uploads free this space by themselves, once what they carry is proved.',
    nothing: 'No recording takes space here. Delete other files or apps of this device.',
    others: 'Other files and apps of this device take space, too: delete what you can spare.',
    held: (bytes: string, when: string) => `${bytes}: ${when}`,
  },
  testPicture: {
    badge: 'Test picture',
    wanted: 'Recording a test picture, as the address of this page asks.',
    note: 'Recording a test picture: it proves nothing.',
    stamp: 'TEST PICTURE · NO EVIDENCE',
    cannot: 'This browser can neither open a camera nor draw a picture.',
  },
}

/** Every text of the demo, those of the elements included. */
export type Texts = typeof english

/** The texts in the language of this build. */
export const texts: Texts = english
