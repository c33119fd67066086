import type { RecordingSession } from '../../src/api.ts'
import { defineElements, english, type ElementTexts } from '../../src/elements/index.ts'
import type { Source } from '../../src/elements/camera.ts'
import { fakeWorker } from '../../src/testing.ts'

/** A page that has the elements, a worker in memory, and nothing else: no demo, no style, no markup of ours. */
const worker = fakeWorker()
const holdfast = worker.connect()

const german: ElementTexts = {
  ...english,
  recorder: { ...english.recorder, record: 'Aufnehmen', stop: 'Beenden' },
}

const recorder = document.createElement('holdfast-recorder')
const recovery = document.createElement('holdfast-recovery')
const status = document.createElement('holdfast-status')
status.setAttribute('level', '2')
// As an app may that loads the elements later: set first, defined after.
recorder.holdfast = recovery.holdfast = status.holdfast = holdfast
recorder.recordOptions = { timesliceMs: 200 }
recorder.openSource = async () => {
  const canvas = document.createElement('canvas')
  const pen = canvas.getContext('2d')
  let hue = 0
  // A picture that stands still gives no frames.
  const timer = setInterval(() => {
    if (!pen) return
    pen.fillStyle = `hsl(${hue++} 50% 50%)`
    pen.fillRect(0, 0, canvas.width, canvas.height)
  }, 50)
  const stream = canvas.captureStream(10)
  const close = () => {
    clearInterval(timer)
    stream.getTracks().forEach((track) => track.stop())
  }
  return { stream, badge: 'A canvas', close }
}
recorder.addEventListener('holdfast-recording', ({ detail }) => {
  status.sessionId = detail.id
})
const events: string[] = []
for (const type of ['holdfast-recording', 'holdfast-recorded', 'holdfast-failure'] as const)
  document.addEventListener(type, () => void events.push(type))

document.documentElement.lang = 'en'
document.title = 'Bare'
const main = document.createElement('main')
const title = document.createElement('h1')
title.textContent = 'Bare'
main.append(title, recovery, recorder, status)
document.body.append(main)

const letRecord = () => {
  recorder.groups = [{ publicKey: 'ab'.repeat(32) }]
}

export const bare = {
  worker,
  events,
  define: (inGerman: boolean) => defineElements(inGerman ? german : undefined),
  letRecord,
  /** A page in which all is set. */
  begin() {
    defineElements()
    letRecord()
  },
  /** Has this done to each session before it is recorded into. */
  eachSession(change: (session: RecordingSession) => void) {
    const { startSession } = holdfast
    holdfast.startSession = async (options) => {
      const session = await startSession(options)
      change(session)
      return session
    }
  },
  holdfast,
  recorder,
  home: main,
  /** What a test lets through, or not. */
  gate: Promise.resolve() as Promise<unknown>,
  open: (_value?: unknown) => {},
  close: (_error: Error) => {},
  /** How and with what sources were opened, where a test notes it. */
  opened: [] as unknown[],
  sources: [] as Source[],
  /** What sessions were ended with, where a test notes it. */
  ends: [] as unknown[],
}
Reflect.set(window, 'bare', bare)
