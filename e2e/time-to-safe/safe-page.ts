import { record } from '../../src/capture/record.ts'
import { connect, type Holdfast, type RecordingSession } from '../../src/index.ts'
import type { BacklogPlan, CameraPlan, Plan, Said } from './safe-plan.ts'

/** What one page hands over at a time, beside the engine's own limit. */
const MAX_CONCURRENT_CHUNKS = 8

/** Does what its address tells: nobody else has a hand in this browser. */
async function main(): Promise<void> {
  const parameters = new URL(location.href).searchParams
  const { publicKey, record: what } = JSON.parse(parameters.get('plan') ?? '{}') as Plan
  const scriptUrl = `/safe-worker.js?settings=${encodeURIComponent(parameters.get('settings') ?? '')}`
  const holdfast = await connect({ scriptUrl, type: 'classic', scope: '/' })
  const begin = (mimeType: string, seal?: 'page' | 'worker') =>
    holdfast.startSession({ groups: [{ publicKey }], mimeType, ...(seal && { seal }) })
  const session = await (what.from === 'camera' ? film(what, begin) : handOver(what, begin, holdfast))
  await say({ type: 'over' })
  for await (const { sessions } of holdfast.watch())
    if (sessions.find(({ id }) => id === session.id)?.upload === 'confirmed') break
  await say({ type: 'confirmed' })
}

type Begin = (mimeType: string, seal?: 'page' | 'worker') => Promise<RecordingSession>

async function film(plan: CameraPlan, begin: Begin): Promise<RecordingSession> {
  const { stream, picture } = await openPicture()
  const session = await begin(MIME_TYPE, plan.seal)
  await say({ type: 'began', name: session.name, picture })
  const { timesliceMs, videoBitsPerSecond } = plan
  const recorded = witnessed(session, 0, videoBitsPerSecond)
  const recording = record(recorded, stream, MIME_TYPE, { timesliceMs, videoBitsPerSecond })
  await later(plan.recordMs)
  await recording.stop()
  return session
}

const MIME_TYPE = 'video/webm;codecs=vp8'

/** The camera; where a busy machine does not start the fake one, a moving picture. */
async function openPicture(): Promise<{ stream: MediaStream; picture: 'camera' | 'canvas' }> {
  const video = { width: 640, height: 480, frameRate: 15 }
  const camera = navigator.mediaDevices.getUserMedia({ video }).catch(() => undefined)
  const stream = await Promise.race([camera, later(20_000)])
  return stream ? { stream, picture: 'camera' } : { stream: drawn(video), picture: 'canvas' }
}

function drawn({ width, height, frameRate }: { width: number; height: number; frameRate: number }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const context = canvas.getContext('2d')
  let frame = 0
  setInterval(() => {
    if (context === null) return
    context.fillStyle = `hsl(${frame++ % 360} 80% 50%)`
    context.fillRect(Math.random() * width, Math.random() * height, 40, 40)
  }, 1_000 / frameRate)
  return canvas.captureStream(frameRate)
}

async function handOver(plan: BacklogPlan, begin: Begin, holdfast: Holdfast): Promise<RecordingSession> {
  const plain = await begin('application/octet-stream')
  await say({ type: 'began', name: plain.name, picture: 'noise' })
  await many(plan.before, () => plain.append(noise(1_024)))
  for await (const { sessions } of holdfast.watch()) {
    const { captured = 0, uploading = 0 } = sessions.find(({ id }) => id === plain.id)?.chunks ?? {}
    if (captured + uploading === 0) break
  }
  await say({ type: 'shape' })
  await many(plan.queued, () => plain.append(noise(plan.queuedBytes)))
  const session = witnessed(plain, plan.before + plan.queued)
  const began = performance.now()
  const handed: Promise<unknown>[] = []
  for (let index = 0; index < plan.fresh; index++) {
    await later(began + 1_000 * index - performance.now())
    handed.push(
      session.append(noise(plan.freshBytes), { capturedAtMs: Date.now() - 1_000, durationMs: 1_000 }),
    )
  }
  await Promise.all(handed)
  await plain.end()
  return plain
}

async function many(count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count
  const lane = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: MAX_CONCURRENT_CHUNKS }, lane))
}

/**
 * The same session, whose chunks are told of: where the recorder gave them, and once they are acknowledged.
 *
 * @param bitsPerSecond slices of less are filled up
 */
function witnessed(session: RecordingSession, first: number, bitsPerSecond = 0): RecordingSession {
  let next = first
  const append: RecordingSession['append'] = async (slice, options = {}) => {
    const index = next++
    const { capturedAtMs = Date.now(), durationMs = 0 } = options
    const wanted = Math.round((bitsPerSecond / 8) * (durationMs / 1_000)) - slice.size
    const bytes = wanted > 0 ? new Blob([slice, noise(wanted)]) : slice
    const sizeBytes = bytes.size + 16
    void say({ type: 'captured', index, atMs: capturedAtMs + durationMs, durationMs, sizeBytes })
    const handed = await session.append(bytes, options)
    void say({ type: 'acknowledged', index: handed.index, atMs: Date.now() })
    return handed
  }
  return Object.create(session, { append: { value: append } }) as RecordingSession
}

function noise(sizeBytes: number): Blob {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for (let left = sizeBytes; left > 0; left -= 65_536)
    pieces.push(crypto.getRandomValues(new Uint8Array(Math.min(left, 65_536))))
  return new Blob(pieces)
}

const later = (ms: number) => new Promise<undefined>((resolve) => setTimeout(resolve, ms, undefined))
const say = (said: Said) => fetch('/said', { method: 'POST', body: JSON.stringify(said) })

main().catch((error: unknown) => say({ type: 'broken', error: String(error) }))
