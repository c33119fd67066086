import { cat } from './bytes.ts'
import type { EvidenceWorld } from './evidence-world.ts'
import type { FakeNode, RpcRequest } from './fake-node.ts'
import type { Random } from './random.ts'

// What a reader is told in the place of something else, of which each is true by itself: nothing here is made up.

/** True answers, by method: of the session as it is and was, and of another one. */
export type Answers = Readonly<Record<string, readonly unknown[]>>

/** All that a node answers while this reads. */
export async function answersOf(node: FakeNode, reading: () => Promise<unknown>): Promise<Answers> {
  const answers: Record<string, unknown[]> = {}
  node.onRpc = ({ method }, result) => {
    ;(answers[method] ??= []).push(result)
    return result
  }
  await reading()
  node.onRpc = undefined
  return answers
}

type Log = Readonly<Record<string, unknown>>

/** Another answer to a question: that of another question, an older one, of another session; or its logs otherwise. */
export function swappedResult(
  { method }: RpcRequest,
  result: unknown,
  pools: readonly Answers[],
  random: Random,
): unknown {
  const others = random.pick(pools)[method] ?? [result]
  if (!Array.isArray(result) || result.length === 0 || random.number(3) === 0) return random.pick(others)
  const logs = result as Log[]
  const [at, to] = [random.number(logs.length), random.number(logs.length)]
  const [one, other] = [logs[at]!, logs[to]!]
  const field = random.pick(['data', 'blockNumber', 'logIndex', 'topics'])
  return random.pick<() => unknown>([
    // A reorganisation took one back, whichever.
    () => logs.with(at, { ...one, removed: true }),
    () => [...logs, { ...one, removed: true }],
    () => [{ ...one, removed: true }, ...logs],
    () => logs.map((log) => ({ ...log, removed: true })),
    // Two change places, whole or in part.
    () => logs.with(at, other).with(to, one),
    () => logs.with(at, { ...one, [field]: other[field] }).with(to, { ...other, [field]: one[field] }),
    () => logs.with(at, { ...one, [field]: other[field] }),
    () => [...logs, ...(random.pick(others) as Log[])],
  ])()
}

/** Another object under an address: a true one, a piece, or pieces of two. */
export function swappedObject(bytes: Buffer, worlds: readonly EvidenceWorld[], random: Random): Buffer {
  const other = random.pick([...random.pick(worlds).objects.values()])
  const border = borderIn(bytes, random)
  return random.pick<() => Buffer>([
    () => other,
    () => bytes.subarray(0, border),
    () => bytes.subarray(border),
    () => cat(bytes.subarray(0, border), other.subarray(border)),
    () => cat(other.subarray(0, border), bytes.subarray(border)),
    () => cat(bytes, bytes),
    () => cat(bytes, other),
    () => cat(Buffer.of(0xef, 0xbb, 0xbf), bytes),
    () => Buffer.alloc(0),
    () => Buffer.alloc(bytes.length),
  ])()
}

/** Where a field of a page ends: its label, name, number, position, or a hash; of a ciphertext too, as far as it goes. */
function borderIn(bytes: Buffer, random: Random): number {
  const hashes = Array.from({ length: 8 }, (_, at) => 56 + 32 * at)
  return Math.min(
    bytes.length,
    random.pick([0, 1, 16, 48, 52, ...hashes, bytes.length - 16, bytes.length - 1]),
  )
}
