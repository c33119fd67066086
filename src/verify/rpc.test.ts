import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ask, resultOf } from './rpc.ts'

// A node instead of `fetch`, in virtual time.
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const chain = { rpcUrl: 'https://node.example/key', registry: `0x${'ab'.repeat(20)}` }

/** What it answers, in turn, the last for ever; when it was asked, in ms. */
function node(...answers: readonly (() => Response)[]): readonly number[] {
  const asked: number[] = []
  const began = performance.now()
  vi.stubGlobal('fetch', async () => {
    asked.push(performance.now() - began)
    return answers[Math.min(asked.length, answers.length) - 1]!()
  })
  return asked
}
const says = (body: object) => () => Response.json({ jsonrpc: '2.0', id: 1, ...body })
const refuses = (status: number, headers: Record<string, string> = {}) =>
  function refusal() {
    return new Response('', { status, headers })
  }
const GOOD = says({ result: '0x1' })

async function resulted(signal?: AbortSignal) {
  const work = resultOf(chain, 'eth_blockNumber', [], { timeoutMs: 30_000, signal })
  // It may be refused before anybody waits for it.
  work.catch(() => {})
  await vi.runAllTimersAsync()
  return work
}

it.each<[string, () => Response]>([
  ['by its status', refuses(429)],
  ['in an error', says({ error: { code: 429, message: 'exceeded its compute units' } })],
  ['in words', says({ error: { code: -32_007, message: '50/second request limit reached' } })],
  ['in other words', says({ error: { code: -32_029, message: 'Too Many Requests' } })],
])('a node that says that it is busy, %s, is asked again, after ever longer', async (_, busy) => {
  const asked = node(busy, busy, busy, GOOD)
  expect(await resulted()).toBe('0x1')
  expect(asked).toEqual([0, 500, 1_500, 3_500])
})

it.each([429, 503])('and one that says when (%i), no sooner', async (status) => {
  const asked = node(refuses(status, { 'retry-after': '7' }), GOOD)
  expect(await resulted()).toBe('0x1')
  expect(asked).toEqual([0, 7_000])
})

it.each([
  ['says so for ever', refuses(429), 6],
  ['wants an hour', refuses(429, { 'retry-after': '3600' }), 1],
])('and one that %s is told as unreachable within half a minute', async (_, busy, times) => {
  const asked = node(busy)
  await expect(resulted()).rejects.toMatchObject({ code: 'chain-unreachable' })
  expect(asked).toHaveLength(times)
  expect(asked.at(-1)).toBeLessThanOrEqual(30_000)
})

it.each<[string, () => Response]>([
  ['is forbidden', refuses(403)],
  ['finds too much', says({ error: { code: -32_005, message: 'query returned more than 10000 results' } })],
])('one that %s is not asked again', async (_, answer) => {
  const asked = node(answer)
  const answered = await ask(chain, 'eth_getLogs', [], { timeoutMs: 30_000 })
  expect(answered).toMatchObject({ kind: 'refused', error: { code: 'chain-unreachable' } })
  expect(asked).toHaveLength(1)
})

it('one that fails once is asked once more, and not a third time', async () => {
  const asked = node(refuses(502), GOOD)
  expect(await resulted()).toBe('0x1')
  expect(asked).toEqual([0, 0])
  const again = node(refuses(502))
  await expect(resulted()).rejects.toMatchObject({ code: 'chain-unreachable' })
  expect(again).toEqual([0, 0])
})

it('nobody waits for a busy one once the caller has enough', async () => {
  const asked = node(refuses(429))
  const caller = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => caller.abort(reason), 600)
  await expect(resulted(caller.signal)).rejects.toBe(reason)
  expect(asked).toEqual([0, 500])
  expect(vi.getTimerCount()).toBe(0)
})
