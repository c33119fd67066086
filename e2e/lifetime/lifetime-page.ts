import { openDB } from 'idb'
import { connect, type RecordingSession } from '../../src/index.ts'
import { newGroup } from '../../src/group.ts'
import type { Done, Notices, Numbered, Order } from './orders.ts'

/** Its last requests fail then. */
let closing = false

/** A page that does what the test's server says: nobody else has a hand in this browser. */
async function main(): Promise<void> {
  const scriptUrl = `/sw.js${location.search}`
  const holdfast = await connect({ scriptUrl, type: 'classic', scope: '/' })
  let session: RecordingSession | undefined
  // Never answered: when it ends, the page is gone.
  void fetch('/open').catch(() => undefined)
  for (;;) {
    const response = await fetch('/orders', { method: 'POST' })
    if (response.status !== 200) continue
    const { id, order } = (await response.json()) as Numbered
    const done = await perform(order).then(
      (value): Done => ({ id, value }),
      (error: unknown): Done => ({ id, error: String(error) }),
    )
    await fetch('/done', { method: 'POST', body: JSON.stringify(done) })
  }

  async function perform(order: Order): Promise<unknown> {
    switch (order.do) {
      case 'record':
        session = await holdfast.startSession({ groups: [await newGroup()], mimeType: 'video/webm' })
        await append(session, order)
        return session.id
      case 'end':
        return session?.end()
      case 'sessions':
        return holdfast.sessions()
      case 'notices':
        return notices()
      case 'payload-forms':
        return payloadForms()
      case 'capabilities':
        return holdfast.capabilities()
      case 'close':
        // Later, so that the order is answered.
        closing = true
        setTimeout(() => window.close(), 100)
        return undefined
    }
  }
}

async function notices(): Promise<Notices> {
  const registration = await navigator.serviceWorker.ready
  const titles = (await registration.getNotifications()).map(({ title }) => title)
  const db = await openDB(`holdfast-2:${location.origin}/`)
  const log = (await db.getAll('log')).flat() as { event: string; sessionId: string }[]
  db.close()
  return {
    titles,
    logged: log.flatMap(({ event, sessionId }) => (event === 'last-chance' ? [sessionId] : [])),
  }
}

/** Of each chunk. */
async function payloadForms(): Promise<string[]> {
  const db = await openDB(`holdfast-2:${location.origin}/`)
  // What is stored beside them, such as the reserve, is no chunk's.
  const ids = await db.getAllKeys('chunks')
  const payloads: unknown[] = await Promise.all(ids.map((id) => db.get('payloads', id)))
  db.close()
  return payloads.map((payload) => (payload instanceof Blob ? 'blob' : 'buffer'))
}

async function append(
  session: RecordingSession,
  { chunks, chunkBytes, everyMs }: Extract<Order, { do: 'record' }>,
): Promise<void> {
  const began = performance.now()
  for (let index = 0; index < chunks; index++) {
    const waitMs = began + index * everyMs - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    await session.append(randomBlob(chunkBytes))
  }
}

function randomBlob(sizeBytes: number): Blob {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for (let left = sizeBytes; left > 0; left -= 65_536)
    pieces.push(crypto.getRandomValues(new Uint8Array(Math.min(left, 65_536))))
  return new Blob(pieces)
}

main().catch((error: unknown) => {
  if (!closing) void fetch('/broken', { method: 'POST', body: String(error) })
})
