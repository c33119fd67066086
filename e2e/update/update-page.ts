import { record, supportedMimeType, type Recording, type RecordProgress } from '../../src/capture/record.ts'
import { newGroup } from '../../src/group.ts'
import { connect, type Holdfast, type RecordingSession } from '../../src/index.ts'

/** The library as an app's page has it, and what a test keeps there between its steps. */
const app = {
  /** A worker may take its time: nothing is asked twice because the machine is slow. */
  connect: () => connect({ scriptUrl: '/sw.js', type: 'classic', timeoutMs: 3_600_000 }),
  connectTo: (scriptUrl: string) => connect({ scriptUrl, type: 'classic' }),
  newGroup,
  holdfast: undefined as Holdfast | undefined,
  session: undefined as RecordingSession | undefined,
  /** Starts a session, and appends a chunk whose bytes are all `fill`. */
  begin: async (fill: number, seal: 'page' | 'worker' = 'page') => {
    app.holdfast ??= await app.connect()
    app.session = await app.holdfast.startSession({
      groups: [await newGroup()],
      mimeType: 'video/webm',
      seal,
    })
    return app.session.id as string
  },
  recording: undefined as Recording | undefined,
  /** All that the recorder told, oldest first. */
  progress: [] as RecordProgress[],
  /** Records the browser's test picture into the session. */
  record: async (maxWaitingBytes: number) => {
    const stream = await navigator.mediaDevices.getUserMedia({ video: true })
    const mimeType = supportedMimeType()
    if (app.session === undefined || mimeType === undefined) throw new Error('Nothing to record into.')
    const onProgress = (progress: RecordProgress) => void app.progress.push(progress)
    // Each slice is a chunk, however long it waits.
    const how = { timesliceMs: 100, chunkMs: 0, maxWaitingBytes, onProgress }
    app.recording = record(app.session, stream, mimeType, how)
  },
  append: (fill: number) => app.session?.append(new Blob([new Uint8Array(50_000).fill(fill)])),
}

declare global {
  interface Window {
    app: typeof app
  }
}

globalThis.window.app = app
