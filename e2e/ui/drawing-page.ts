import { sessionDetails } from '../../src/demo/session-details.ts'
import { defineElements } from '../../src/elements/index.ts'
import type { Holdfast } from '../../src/api.ts'
import type { Cid } from '../../src/protocol/ids.ts'
import { fakeWorker } from '../../src/testing.ts'

/** A page with the demo's list over a worker in memory: what drawing alone costs. */
const worker = fakeWorker()
const connection = worker.connect()
/** Each piece has an address, as it has where it was sealed. */
const holdfast: Holdfast = {
  ...connection,
  chunks: async (id) =>
    (await connection.chunks(id)).map((chunk) => Object.assign(chunk, { cid: `b${'a'.repeat(58)}` as Cid })),
}
defineElements()

async function make(sessions: number, chunks: number): Promise<void> {
  for (let at = 0; at < sessions; at++) {
    const session = await holdfast.startSession({
      groups: [{ publicKey: 'ab'.repeat(32) }],
      mimeType: 'video/webm',
    })
    const bytes = new Blob(['x'])
    await Promise.all(Array.from({ length: chunks }, () => session.append(bytes, { durationMs: 2_000 })))
    await session.end()
  }
}

const shown = async (isThere: () => boolean) => {
  while (!isThere()) await new Promise(requestAnimationFrame)
}

export const drawing = {
  make,
  /** Draws what is on its way and the status of each recording. */
  async drawAll(): Promise<void> {
    const sessions = await holdfast.sessions()
    const recovery = document.createElement('holdfast-recovery')
    recovery.holdfast = holdfast
    const all = sessions.map(({ id }) => {
      const status = document.createElement('holdfast-status')
      status.sessionId = id
      status.holdfast = holdfast
      return status
    })
    document.body.append(recovery, ...all)
    await shown(
      () =>
        recovery.dataset['pending'] === String(sessions.length) &&
        all.every(({ dataset }) => dataset['tone']),
    )
  },
  /** Opens the details of the first recording. @returns rows */
  async openDetails(): Promise<number> {
    const [session] = await holdfast.sessions()
    if (!session) return 0
    const { element, update } = sessionDetails(session, holdfast)
    document.body.append(element)
    update(session)
    element.querySelector('summary')?.click()
    const wanted = session.chunks.uploading
    const list = element.querySelector('ol')
    const rows = () => list?.childElementCount ?? 0
    await shown(() => rows() === wanted)
    return rows()
  },
}
Reflect.set(window, 'drawing', drawing)
