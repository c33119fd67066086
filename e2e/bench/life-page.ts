import { openConnection, type Connection } from '../../src/connection.ts'
import { toBase64 } from '../../src/evidence/bytes.ts'
import type { SessionSnapshot } from '../../src/protocol/snapshot.ts'
import { watch } from '../../src/watch.ts'
import { askBare, bareWorker } from './bare.ts'
import type { Task } from './protocol.ts'
import { begin, eightAtATime, noise, sealMany, type Recording } from './recording.ts'
import { post } from './post.ts'

// What a page does in a browser that is then killed, started again or watched from outside; no debugger is attached.

/** Chunks that are sealed, handed over and told at once. */
const TOGETHER = 1_000

async function main(): Promise<void> {
  const task = JSON.parse(new URL(location.href).searchParams.get('task') ?? '{}') as Task
  switch (task.do) {
    case 'queue':
      await (task.side === 'ours' ? queueOurs(task.chunks, task.sizeBytes) : queueBare(task))
      return void (await post('/mark/queued'))
    case 'fill': {
      const connection = await connect()
      await connection.request({ type: 'policy', policy: 'paused' })
      await handOver(connection, await begin(connection), task.chunks, task.sizeBytes)
      return void (await post('/mark/queued'))
    }
    case 'drain': {
      const connection = await connect()
      const drained = until(connection, ({ chunks }) => count(chunks, 'uploaded') >= task.chunks)
      await post('/mark/ready')
      await connection.request({ type: 'policy', policy: 'always' })
      await drained
      return void (await post('/mark/drained'))
    }
    case 'stream':
      return stream(await connect('?chainless'), task)
  }
}

const connect = (query = '') =>
  openConnection({ scriptUrl: `/put-worker.js${query}`, type: 'classic', scope: '/put-scope/' })

async function queueOurs(chunks: number, sizeBytes: number): Promise<void> {
  const connection = await connect()
  await handOver(connection, await begin(connection), chunks, sizeBytes)
}

async function queueBare({ chunks, sizeBytes }: { chunks: number; sizeBytes: number }): Promise<void> {
  const bare = await bareWorker()
  for (let index = 0; index < chunks; index++) {
    const bytes = noise(sizeBytes)
    const digest = toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
    await askBare(bare, { do: 'put', id: `${index} ${digest}`, payload: new Blob([bytes]) })
  }
  await askBare(bare, { do: 'wake' })
}

async function handOver(connection: Connection, recording: Recording, chunks: number, sizeBytes: number) {
  // No more than some of the larger ones in the page's memory.
  const atOnce = Math.max(8, Math.min(TOGETHER, Math.floor((32 * 1024 * 1024) / sizeBytes)))
  for (let left = chunks; left > 0; left -= atOnce) {
    const sealed = await sealMany(recording, Math.min(left, atOnce), sizeBytes)
    await eightAtATime(sealed, (chunk) => connection.request({ type: 'chunk', chunk }))
  }
}

async function stream(connection: Connection, { sessions, chunks, sizeBytes }: Task & { do: 'stream' }) {
  let total = 0
  for (let at = 0; at < sessions; at++) {
    const recording = await begin(connection)
    for (let left = chunks; left > 0; left -= TOGETHER) {
      await handOver(connection, recording, Math.min(left, TOGETHER), sizeBytes)
      const handed = recording.next
      await until(connection, ({ id, chunks }) => id === recording.id && count(chunks, 'confirmed') >= handed)
      total += Math.min(left, TOGETHER)
      if (total % TOGETHER === 0) await post('/mark/thousand')
    }
    await recording.end()
  }
  await post('/mark/streamed')
}

/** Until a session is as it is waited for. */
async function until(connection: Connection, is: (session: SessionSnapshot) => boolean): Promise<void> {
  for await (const { sessions } of watch(connection)) if (sessions.some(is)) return
}

/** Chunks that have come that far. */
function count(chunks: SessionSnapshot['chunks'], least: 'uploaded' | 'confirmed'): number {
  const { uploaded = 0, manifesting = 0, anchoring = 0, confirmed = 0 } = chunks
  return confirmed + (least === 'uploaded' ? uploaded + manifesting + anchoring : 0)
}

main().catch((error: unknown) => post('/broken', String(error)))
