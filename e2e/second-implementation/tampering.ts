import { isDeepStrictEqual } from 'node:util'
import { text } from './bytes.ts'
import { worldOf, type EvidenceWorld } from './evidence-world.ts'
import { startFakeNode, type FakeNode, type Served } from './fake-node.ts'
import { saidByProduct } from './product-reader.ts'
import { answersOf, swappedObject, swappedResult, type Answers } from './swapped-answers.ts'
import { randomFrom, type Random } from './random.ts'
import { Recording } from './recording.ts'
import { Scene } from './deed-scene.ts'
import type { Said } from './second-reader.ts'

/** What came of tamperings with what a reader is told, by what it said. */
export interface Tampered {
  readonly found: Readonly<Record<string, number>>
  /** Tamperings after which the reader says something else and tells of nothing wrong. */
  readonly missed: readonly { seed: string; what: string; said: Said }[]
}

/**
 * Tampers once with each reading of a whole recording: one answer of the node or one object, a bit, a piece, a field, or
 * all of it; or gives another true one in its place. Whatever it is, the reader finds it, or says exactly what it says
 * without it; only the times of blocks but the newest are the node's word, and that there is nothing newer.
 */
export async function tamper(seeds: readonly string[], read: Read = atOnce): Promise<Tampered> {
  const found: Record<string, number> = {}
  const missed: { seed: string; what: string; said: Said }[] = []
  let node: FakeNode | undefined
  try {
    const built = new Scene(undefined as unknown as FakeNode)
    await built.honest()
    const world = { ...worldOf(built.mine), group: built.group }
    node = await startFakeNode(world)
    const { last: truth } = await read(world, node)
    const asked = node.asked.length
    const { worlds, pools, olders } = await othersThan(world, node, read)
    for (const seed of seeds) {
      const random = randomFrom(`tampering/${seed}`)
      const target = random.number(asked)
      node.asked.length = 0
      let what = 'nothing'
      const now = () => node!.asked.length === target + 1
      const isSwapped = randomFrom(`swapped/${seed}`).number(2) === 0
      node.onRpc = (request, result) => {
        if (!now()) return result
        const told = isSwapped ? swappedResult(request, result, pools, random) : alteredJson(result, random)
        if (!isDeepStrictEqual(told, result)) what = request.method
        return told
      }
      node.onObject = (cid, bytes) => {
        if (!now() || bytes === undefined) return bytes
        const served = isSwapped ? swappedObject(bytes, worlds, random) : alteredBytes(bytes, random)
        if (!isDeepStrictEqual(served, bytes)) what = `object ${cid}`
        return served
      }
      const { early, last: said } = await read(world, node)
      const outcome = early.every((step) => isPartOf(step, truth))
        ? judge(what, said, truth, olders)
        : 'missed'
      found[`${what.split(' ')[0]}: ${outcome}`] = (found[`${what.split(' ')[0]}: ${outcome}`] ?? 0) + 1
      if (outcome === 'missed') missed.push({ seed, what, said })
    }
  } finally {
    node?.close()
  }
  return { found, missed }
}

/** What is true of other sessions, or was of this one: as worlds, as answers, and as it is said. */
async function othersThan(world: EvidenceWorld, node: FakeNode, read: Read) {
  const { groups } = new Scene(node).mine
  const stranger = new Recording('a stranger', { groups })
  await stranger.chunk(0, text('chunk 0'))
  stranger.publish()
  stranger.end('complete', 1)
  stranger.publish()
  const before = world.witnessed.map((_, at) => ({ ...world, witnessed: world.witnessed.slice(0, at) }))
  const worlds: EvidenceWorld[] = [world, { ...worldOf(stranger), group: world.group }, ...before.slice(1)]
  const pools: Answers[] = []
  const olders: Said[] = []
  for (const other of worlds) {
    node.world = other
    pools.push(await answersOf(node, async () => olders.push((await read(other, node)).last)))
  }
  node.world = world
  return { worlds, pools, olders: olders.slice(2) }
}

function judge(what: string, said: Said, truth: Said, olders: readonly Said[]): string {
  if ('refused' in truth) return 'missed'
  if ('refused' in said) return said.refused
  if (isDeepStrictEqual(said, truth)) return 'says the same'
  if (what === 'eth_call' && olders.some((older) => isDeepStrictEqual(said, older)))
    return 'what was true once, by the node’s word'
  if (said.heads.some((verdict) => verdict !== 'good')) return 'a bad head'
  if (said.lost.length > 0) return 'lost entries'
  const bad = said.chunks.find(({ verdict }) => verdict !== 'proved')
  if (bad) return bad.verdict
  // The node is whom the caller trusts for the chain: nothing else tells the time of a block in between.
  return what === 'eth_getBlockByNumber' && isDeepStrictEqual(withoutTimes(said), withoutTimes(truth))
    ? 'another time, by the node’s word'
    : 'missed'
}

/** How a session is read: what is said of it before it is known whole, and at last. */
type Read = (
  world: EvidenceWorld,
  node: FakeNode,
) => Promise<{ readonly early: readonly Exclude<Said, { refused: string }>[]; readonly last: Said }>

const atOnce: Read = async (world, node) => ({ early: [], last: await saidByProduct(world, node) })

/** Whether what is said to be proved of a beginning is what was recorded. */
const isPartOf = ({ chunks }: Exclude<Said, { refused: string }>, truth: Said) =>
  chunks.every(
    ({ index, verdict, plaintextHash }) =>
      verdict !== 'proved' ||
      ('chunks' in truth &&
        truth.chunks.some((other) => other.index === index && other.plaintextHash === plaintextHash)),
  )

const withoutTimes = ({ chunks, ...said }: Exclude<Said, { refused: string }>) => ({
  ...said,
  chunks: chunks.map(({ index, verdict, plaintextHash }) => [index, verdict, plaintextHash]),
})

function alteredBytes(bytes: Buffer, random: Random): Served {
  const other = Buffer.from(bytes)
  const at = random.number(bytes.length)
  switch (random.number(7)) {
    case 0:
      return undefined
    case 1:
      return random.pick([400, 410, 429, 500])
    case 2:
      return 'hang up'
    case 3:
      return Buffer.concat([bytes, random.bytes(1 + random.number(9))])
    case 4:
      return other.subarray(0, at)
    default:
      other[at]! ^= 1 << random.number(8)
      return other
  }
}

type Path = readonly (string | number)[]

/** The places of all values in an answer. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))]
}

function alteredJson(value: unknown, random: Random): unknown {
  const path = random.pick(placesIn(value))
  const change = (inner: unknown, [key, ...rest]: Path): unknown => {
    if (key === undefined) return alteredValue(inner, random)
    const copy: Record<string, unknown> | unknown[] = Array.isArray(inner)
      ? [...(inner as unknown[])]
      : { ...(inner as object) }
    Object.assign(copy, { [key]: change((inner as Record<string, unknown>)[key], rest) })
    return copy
  }
  return change(value, path)
}

function alteredValue(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0) {
    const at = random.number(value.length)
    return random.pick([[], value.toSpliced(at, 1), value.toReversed(), [...value, value[at] as unknown]])
  }
  if (typeof value !== 'string') return random.pick([null, {}, [], 7, 'no', '0x'])
  if (random.number(6) === 0)
    return random.pick<unknown>([null, '', '0x', '0x0', 'no', 7, `${value}0`, value.slice(0, -1)])
  if (value.length <= 2) return `${value}1`
  const at = 2 + random.number(value.length - 2)
  const digit = ((Number.parseInt(value[at]!, 16) || 0) ^ (1 + random.number(15))).toString(16)
  return value.slice(0, at) + digit + value.slice(at + 1)
}

export const seedsFrom = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => String(first + at))
