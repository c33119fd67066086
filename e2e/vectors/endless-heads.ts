import { hex } from './bytes.ts'
import { timeOfBlock, type EvidenceWorld, type Witnessed } from './evidence-world.ts'
import { logOf, refuseRpc, type FakeNode } from './fake-node.ts'
import { signHead, type Recording } from './recording.ts'

/** So many heads the session has by the node's word. */
export const ALL_HEADS = 2 ** 31

/** A node that tells of heads without end: after those of a world one in each block, signed as they are asked for. */
export interface EndlessHeads {
  /** The head at this place. */
  taken(at: number): Witnessed
  /** More blocks in one question are refused. */
  maxRange: number
  /** More heads in one answer are refused. */
  maxLogs: number
  /** Heads that were told. */
  told: number
}

const wordsOf = (data: string) => data.slice(2).match(/.{64}/g)!
const word = (value: number) => value.toString(16).padStart(64, '0')

export function endlessHeads(node: FakeNode, { keys }: Recording, world: EvidenceWorld): EndlessHeads {
  const honest = world.witnessed
  const last = honest.at(-1)!
  const blockOf = (at: number) => last.block + 1 + at - honest.length
  const endless: EndlessHeads = {
    taken(at) {
      const known = honest[at]
      if (known) return known
      const size = Number(last.head.size) + at
      const block = blockOf(at)
      return { head: signHead(keys.signing, { ...last.head, size }), block, timeMs: timeOfBlock(block) }
    },
    maxRange: Infinity,
    maxLogs: 100,
    told: 0,
  }

  function newest(answer: string): string {
    const { head, block, timeMs } = endless.taken(ALL_HEADS - 1)
    const words = wordsOf(answer)
    words.splice(0, 4, hex(head.root), hex(head.page), word(Number(head.size)), word(ALL_HEADS))
    words.splice(5, 2, word(block), word(timeMs / 1_000))
    return `0x${words.join('')}`
  }

  function logs(from: number, to: number): unknown {
    if (to - from >= endless.maxRange) return refuseRpc('query exceeds max block range')
    const first = Math.max(honest.length, honest.length + from - blockOf(honest.length))
    const final = Math.min(ALL_HEADS - 1, honest.length + to - blockOf(honest.length))
    const own = honest.flatMap(({ block }, at) => (block >= from && block <= to ? at : []))
    const count = own.length + Math.max(0, final - first + 1)
    if (count > endless.maxLogs) return refuseRpc(`query returned more than ${endless.maxLogs} results`)
    endless.told += count
    return [...own, ...Array.from({ length: count - own.length }, (_, at) => first + at)].map((at) => {
      const before = at === 0 ? [] : [endless.taken(at - 1)]
      const one = endless.taken(at)
      const log = logOf({ ...world, witnessed: [...before, one] }, one, before.length)
      const data = `0x${wordsOf(log.data)
        .with(10, word(at + 1))
        .join('')}`
      const blockTimestamp = `0x${(one.timeMs / 1_000).toString(16)}`
      return Object.assign(log, { data, logIndex: `0x${at.toString(16)}`, blockTimestamp })
    })
  }

  node.newest = blockOf(ALL_HEADS) + 10
  node.onRpc = ({ method, params }, result) => {
    if (method === 'eth_call') return newest(String(result))
    if (method !== 'eth_getLogs') return result
    const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string }
    return logs(Number(fromBlock), Number(toBlock))
  }
  return endless
}
