import { refuseRpc, type FakeLog, type RpcRequest } from './fake-node.ts'
import type { Scene } from './deed-scene.ts'
import { type Deed } from './deed.ts'

type Lies = (request: RpcRequest, result: unknown) => unknown
const rpc =
  (lies: Lies) =>
  async (scene: Scene): Promise<void> => {
    await scene.honest()
    scene.node.onRpc = lies
  }
const logs = (change: (logs: FakeLog[]) => unknown): Lies =>
  function changed({ method }, result) {
    return method === 'eth_getLogs' ? change([...(result as FakeLog[])]) : result
  }
/** The `at`th word of an event's data, or of the registry's answer. */
const withWord = (data: string, at: number, word: string) =>
  data.slice(0, 2 + 64 * at) + word.padStart(64, '0') + data.slice(2 + 64 * (at + 1))
const session = (at: number, word: string): Lies =>
  function changed({ method }, result) {
    return method === 'eth_call' ? withWord(result as string, at, word) : result
  }
const instead = (method: string, told: (result: unknown) => unknown): Lies =>
  function changed(request, result) {
    return request.method === method ? told(result) : result
  }

export const node: readonly Omit<Deed, 'party'>[] = (
  [
    [
      'keeps the oldest head back',
      logs((all) => all.slice(all[0]?.logIndex === '0x0' ? 1 : 0)),
      'heads-withheld',
    ],
    [
      'keeps a head in the middle back',
      logs((all) => all.filter(({ logIndex }) => logIndex !== '0x2')),
      'heads-withheld',
    ],
    [
      'keeps the newest head back',
      logs((all) => all.filter(({ logIndex }) => logIndex !== '0x3')),
      'heads-withheld',
    ],
    ['keeps every head back', logs(() => []), 'heads-withheld'],
    ['tells of a head twice', logs((all) => [...all, ...all]), 'heads-withheld'],
    ['counts a head more', session(3, '5'), 'heads-withheld'],
    ['tells heads in another order', logs((all) => all.reverse()), {}],
    [
      'alters the root of a head in the middle',
      logs((all) =>
        all.map((log) => (log.logIndex === '0x1' ? { ...log, data: withWord(log.data, 1, 'ab') } : log)),
      ),
      { heads: 'gbgg' },
    ],
    [
      'alters the root of the newest head',
      logs((all) =>
        all.map((log) => (log.logIndex === '0x3' ? { ...log, data: withWord(log.data, 1, 'ab') } : log)),
      ),
      'chain-answer',
    ],
    [
      'tells of another session',
      logs((all) => all.map((log) => ({ ...log, topics: log.topics.with(1, `0x${'cd'.repeat(32)}`) }))),
      'chain-answer',
    ],
    [
      'tells of another registry',
      logs((all) => all.map((log) => ({ ...log, address: `0x${'12'.repeat(20)}` }))),
      'chain-answer',
    ],
    [
      'tells of another event',
      logs((all) => all.map((log) => ({ ...log, topics: log.topics.with(0, `0x${'cd'.repeat(32)}`) }))),
      'chain-answer',
    ],
    [
      'tells of heads that were taken back',
      logs((all) => all.map((log) => ({ ...log, removed: true }))),
      'heads-withheld',
    ],
    [
      'tells of heads that were taken back beside those that stand',
      logs((all) => all.flatMap((log) => [{ ...log, data: '0x', removed: true }, log])),
      {},
    ],
    [
      'tells of heads in other blocks',
      logs((all) => all.map((log) => ({ ...log, blockNumber: '0x1' }))),
      'chain-answer',
    ],
    [
      'cuts an event short',
      logs((all) => all.map((log) => ({ ...log, data: log.data.slice(0, -64) }))),
      'chain-answer',
    ],
    ['tells of no list', logs(() => ({})), 'chain-answer'],
    [
      'takes no more than one block at a time',
      instead('eth_getLogs', (result) => ((result as FakeLog[]).length > 1 ? refuseRpc('range') : result)),
      {},
    ],
    ['refuses all events', instead('eth_getLogs', () => refuseRpc('no')), 'chain-answer'],
    ['knows no such session', instead('eth_call', () => `0x${'0'.repeat(512)}`), 'not-registered'],
    ['has no contract there', instead('eth_call', () => '0x'), 'chain-answer'],
    ['says another root than the newest head’s', session(0, 'ab'), 'chain-answer'],
    ['says another page than the newest head’s', session(1, 'ab'), 'chain-answer'],
    ['says another size than the newest head’s', session(2, '7'), 'chain-answer'],
    ['says that it has not ended', session(7, '0'), 'chain-answer'],
    ['says another first block', session(4, '1'), 'chain-answer'],
    ['is far behind', instead('eth_blockNumber', () => '0x5'), 'not-registered'],
    ['says a last block that is yet to come', session(5, 'ffff'), 'chain-answer'],
    ['says no block', instead('eth_blockNumber', () => 'latest'), 'chain-answer'],
    [
      'says another time of the newest block',
      instead('eth_getBlockByNumber', (block) => Object.assign({}, block, { timestamp: '0x7fffffff' })),
      'chain-answer',
    ],
    [
      'tells of another block',
      instead('eth_getBlockByNumber', (block) => Object.assign({}, block, { number: '0x1' })),
      'chain-answer',
    ],
    ['tells of no block', instead('eth_getBlockByNumber', () => null), 'chain-answer'],
  ] satisfies [string, Lies, Deed['says']][]
).map(([deed, lies, says]) => ({ deed, says, act: rpc(lies), isServed: true }))
