import { createPrivateKey, sign } from 'node:crypto'
import { hex } from './bytes.ts'
import { timeOfBlock, type EvidenceWorld, type Witnessed } from './evidence-world.ts'
import { logOf, refuseRpc, type FakeLog, type FakeNode } from './fake-node.ts'
import { headBytes, type Recording } from './recording.ts'

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
  const { scalar, publicKey } = keys.signing
  const text = (bytes: Buffer) => bytes.toString('base64url')
  const [x, y] = [text(publicKey.subarray(0, 32)), text(publicKey.subarray(32))]
  // By the platform: there may be many of them.
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: text(scalar), x, y }, format: 'jwk' })
  const endless: EndlessHeads = {
    taken(at) {
      const known = honest[at]
      if (known) return known
      const head = { ...last.head, size: Number(last.head.size) + at }
      const signature = sign('sha256', headBytes(head), { key, dsaEncoding: 'ieee-p1363' })
      const block = blockOf(at)
      return { head: { ...head, signature }, block, timeMs: timeOfBlock(block) }
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
    return [...own, ...Array.from({ length: count - own.length }, (_, at) => first + at)].map(logAt)
  }

  /** Every word of the data but those that differ is the last honest one's. */
  const template = logOf(world, last, honest.length - 1)
  const words = wordsOf(template.data)
  function logAt(at: number): FakeLog {
    const { head, block, timeMs } = endless.taken(at)
    const before = at === 0 ? 0 : (honest[at - 1]?.block ?? blockOf(at - 1))
    const signature = hex(head.signature)
    const data = [
      word(Number(head.size)),
      ...[head.root, head.page, head.previous].map(hex),
      ...words.slice(4, 8),
      signature,
      word(at + 1),
      word(before),
    ].join('')
    return {
      ...template,
      data: `0x${data}`,
      blockNumber: `0x${block.toString(16)}`,
      logIndex: `0x${at.toString(16)}`,
      blockTimestamp: `0x${(timeMs / 1_000).toString(16)}`,
    }
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
