import { describe, expect, it } from 'vitest'
import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import type { Cid, Sha256Hex } from '../../src/protocol/ids.ts'
import type { RemoteState, Transport, Upload } from '../ports/transport.ts'
import { createWorld, recordSession } from '../testing/world.ts'
import { deliver, type Delivery } from './deliver.ts'
import { createDrain } from './drain.ts'

const upload: Upload = { cid: 'b'.repeat(59) as Cid, sha256: 'a'.repeat(64) as Sha256Hex, sizeBytes: 3 }
const bytes = new Uint8Array([1, 2, 3])
const { signal } = new AbortController()

/** A store that has this of the upload, and answers a send like that; tells in order what was done. */
function world(held: RemoteState, answer: 'proved' | 'sent' = 'proved', wanted = true, verifies = true) {
  const done: string[] = []
  const transport: Transport = {
    name: 'store',
    async probe(_upload, { progress }) {
      done.push('probe')
      if (held.kind === 'part') progress(held.offsetBytes)
      return held
    },
    async send(_upload, _bytes, from, { saveResumeToken, progress }) {
      await saveResumeToken('a name that the store gave')
      done.push(`send from ${from.kind}`)
      progress(bytes.byteLength)
      return answer
    },
    ...(verifies && {
      verify: async (_upload, { resumeToken }) => void done.push(`verify, knowing ${resumeToken}`),
    }),
  }
  const reached: string[] = []
  const delivery = (sent: boolean): Delivery => ({
    sent,
    bytes: async () => bytes,
    async record({ type }) {
      done.push(type)
      return wanted
    },
    progress: (offsetBytes, isSent) => reached.push(`${offsetBytes} ${isSent ? 'sent' : 'found'}`),
  })
  return {
    done,
    reached,
    run: (sent: boolean) =>
      deliver(transport, upload, delivery(sent), undefined, (requests) => requests(signal)),
  }
}

describe('a delivery', () => {
  it('stores the intent before the first request, and asks nothing that cannot have an answer yet', async () => {
    const { done, run } = world({ kind: 'nothing' })
    expect(await run(false)).toBe(true)
    expect(done).toEqual(['send-began', 'resume-token-saved', 'send from nothing'])
  })

  it('asks before it sends again, and goes on from what is there', async () => {
    const { done, run } = world({ kind: 'part', offsetBytes: 2 })
    await run(true)
    expect(done).toEqual(['probe', 'resume-token-saved', 'send from part'])
  })

  it('sends nothing that is there, and proves a copy that the store only claims', async () => {
    const proved = world({ kind: 'all', proved: true })
    await proved.run(true)
    expect(proved.done).toEqual(['probe'])
    const claimed = world({ kind: 'all', proved: false })
    await claimed.run(true)
    expect(claimed.done).toEqual(['probe', 'verify, knowing '])
  })

  it('proves what was sent and not proved, with what the transport remembered meanwhile', async () => {
    const { done, run } = world({ kind: 'nothing' }, 'sent')
    await run(false)
    expect(done.at(-1)).toBe('verify, knowing a name that the store gave')
  })

  // Promise 2 of docs/guarantees.md.
  it.each([
    ['it has', { kind: 'all', proved: false }],
    ['it was sent', { kind: 'nothing' }],
  ] as const)('takes no word of a store for a proof, of what %s', async (_what, held) => {
    const { run } = world(held, 'sent', true, false)
    await expect(run(held.kind === 'all')).rejects.toThrow('verify')
  })

  it('tells apart what was found at the store and what was sent just now', async () => {
    const { reached, run } = world({ kind: 'part', offsetBytes: 2 })
    await run(true)
    expect(reached).toEqual(['2 found', '3 sent'])
  })

  it('sends nothing that is not wanted any more', async () => {
    const { done, run } = world({ kind: 'nothing' }, 'proved', false)
    expect(await run(false)).toBeUndefined()
    expect(done).toEqual(['send-began'])
  })
})

describe('a delivery that goes unread', () => {
  const damaged = new HoldfastError('payload-corrupt', 'Not what was stored.')
  const failsWith = (code: ErrorCode) => {
    const transport: Transport = {
      name: 'store',
      probe: async () => ({ kind: 'nothing' }),
      send: async () => 'proved',
      sendUnread: async () => Promise.reject(new HoldfastError(code, 'No.', { retryAfterMs: 600_000 })),
      verify: async () => {},
    }
    const delivery: Delivery = {
      sent: false,
      bytes: async () => Promise.reject(damaged),
      unread: async () => new Blob([bytes]),
      record: async () => true,
    }
    return deliver(transport, upload, delivery, undefined, (requests) => requests(signal))
  }

  it.each(['unreachable', 'timeout', 'address-mismatch', 'rejected-by-store'] as const)(
    'and fails with %s looks at the bytes, whose fault it may be',
    (code) => expect(failsWith(code)).rejects.toBe(damaged),
  )

  it.each(['throttled', 'server-error', 'sign-in-needed'] as const)(
    'and fails with %s hears what the server asks for, though the bytes are damaged too',
    (code) => expect(failsWith(code)).rejects.toMatchObject({ code, retryAfterMs: 600_000 }),
  )
})

describe('what a transport rejects with', () => {
  it('stays as it is, whatever wait is made of it', async () => {
    const world = createWorld()
    const id = await recordSession(world)
    const away = Object.freeze(new HoldfastError('unreachable', 'Away.'))
    const worker = world.worker()
    let sends = 0
    const transport: Transport = {
      ...worker.transport,
      probe: async (_upload, { progress }) => (progress(0), { kind: 'nothing' }),
      send: () => (sends++, Promise.reject(away)),
    }
    void createDrain({ ...worker, transport }).join('message')
    await world.clock.advance(20_000)
    expect((await world.chunks(id))[0]?.effort?.lastError).toMatchObject({ code: 'unreachable' })
    // A chunk and a page, each at first and after 1, 2, 4 and 8 seconds at the soonest.
    expect(sends).toBeGreaterThan(2)
    expect(sends).toBeLessThanOrEqual(2 * (1 + 4))
  })
})
