import { afterEach, expect, it, vi } from 'vitest'
import { HoldfastError } from '../src/protocol/errors.ts'
import type { Cid, Sha256Hex } from '../src/protocol/ids.ts'
import { PROTOCOL_VERSION } from '../src/protocol/messages.ts'
import { CHUNK_STATUSES, type SessionSnapshot } from '../src/protocol/snapshot.ts'
import { debug } from './debug.ts'
import { storyOf } from './debug-words.ts'
import { checkOptions } from './install-options.ts'
import type { InstallOptions } from './install.ts'
import type { Attempt, Upload } from './ports/transport.ts'

const SCOPE = 'https://debug.example/'
const upload: Upload = { cid: 'bafyone' as Cid, sha256: '0'.repeat(64) as Sha256Hex, sizeBytes: 5 }
const attempt: Attempt = {
  signal: new AbortController().signal,
  resumeToken: 'https://secret.example',
  saveResumeToken: async () => undefined,
  progress: () => undefined,
}
const chunks = Object.fromEntries(CHUNK_STATUSES.map((status) => [status, 0])) as SessionSnapshot['chunks']
const session = {
  id: '12345678-0000-4000-8000-000000000000',
  ending: 'complete',
  upload: 'uploading',
  paused: false,
  chunks: { ...chunks, uploading: 2, confirmed: 1 },
  parked: 0,
  missing: 0,
} as SessionSnapshot

function world() {
  const worker = Object.assign(new EventTarget(), { registration: { scope: SCOPE } })
  vi.stubGlobal('self', worker)
  const lines: string[] = []
  const options = debug<InstallOptions>(
    {
      transport: {
        name: 'ipfs',
        probe: async () => ({ kind: 'all', proved: true }) as const,
        send: async () => {
          throw new HoldfastError('unreachable', 'Nobody is there.')
        },
        verify: async () => undefined,
      },
      anchor: {
        name: 'evm',
        identity: 'evm',
        witness: async () => undefined,
        pollMs: 7,
        everyMs: 1,
        read: async () => ({ blockNumber: 9 }),
        submit: async () => undefined,
        events: async () => [],
      },
    },
    (line) => lines.push(line.replace(/\d+ ms$/, 'n ms')),
  )
  return { worker, options, lines }
}

afterEach(() => vi.unstubAllGlobals())

it('says what is asked of store and chain, and what comes of it, and changes neither', async () => {
  const { options, lines } = world()
  const { transport, anchor } = options
  expect(await transport.probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
  const sent = transport.send(upload, new Uint8Array(5), { kind: 'nothing' }, attempt)
  await expect(sent).rejects.toMatchObject({ code: 'unreachable' })
  await anchor!.read('ab'.repeat(32) as never, attempt.signal)
  expect(anchor!.pollMs).toBe(7)
  expect(lines).toEqual([
    'ipfs probe bafyone (5 bytes): all, proved after n ms',
    'ipfs send bafyone (5 bytes): unreachable: Nobody is there. after n ms',
    'evm read abababababababab: block 9 has none entries, none deep enough after n ms',
  ])
})

it('takes a transport that is frozen, and leaves what is none to install()', async () => {
  const { options } = world()
  const transport = Object.freeze({ ...options.transport, name: 'frozen' })
  const said = debug({ transport }, () => undefined)
  expect(() => checkOptions(said)).not.toThrow()
  expect(said.transport.name).toBe('frozen')
  expect(await said.transport.probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
  for (const wrong of [undefined, null, 'ipfs']) {
    const none = debug({ transport: wrong as never, anchor: wrong as never }, () => undefined)
    expect(() => checkOptions(none)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  }
})

it('says why the worker runs', () => {
  const { worker, lines } = world()
  worker.dispatchEvent(Object.assign(new Event('sync'), { tag: 'a-tag', lastChance: true }))
  worker.dispatchEvent(
    Object.assign(new Event('message'), { data: { holdfast: PROTOCOL_VERSION, type: 'hello' } }),
  )
  worker.dispatchEvent(Object.assign(new Event('message'), { data: "the app's own" }))
  expect(lines).toEqual(['woken by sync a-tag for the last time', 'asked by a page: hello'])
})

it('says that a page has asked, of a message whose type is none, too', () => {
  const { worker, lines } = world()
  const data = { holdfast: PROTOCOL_VERSION, type: { toString: null } }
  worker.dispatchEvent(Object.assign(new Event('message'), { data }))
  expect(lines).toEqual(['asked by a page: ?'])
})

it('says how a session stands when that changes, and not again while it is the same', async () => {
  const { lines } = world()
  const channel = new BroadcastChannel(`holdfast:${SCOPE}`)
  const lastError = { code: 'unreachable', message: 'Nobody is there.' } as const
  const waiting = { ...session, lastError, retryAtMs: 0 }
  const moved = { ...session, chunks: { ...chunks, confirmed: 3 } }
  for (const changed of [session, session, waiting, moved])
    channel.postMessage({ type: 'changed', session: changed })
  await expect.poll(() => lines).toHaveLength(3)
  channel.close()
  expect(lines).toEqual([
    'session 12345678: complete, uploading; 2 uploading, 1 confirmed',
    'session 12345678: complete, uploading; 2 uploading, 1 confirmed; waits until 1970-01-01T00:00:00.000Z because of unreachable: Nobody is there.',
    'session 12345678: complete, uploading; 3 confirmed',
  ])
  expect(storyOf({ ...session, paused: true, parked: 2 })).toContain('paused by a person; 2 parked')
})
