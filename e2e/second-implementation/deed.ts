import { text } from './bytes.ts'
import { randomFrom } from './random.ts'
import type { Recording } from './recording.ts'
import { signHead, type Published } from './recording.ts'
import type { Scene } from './deed-scene.ts'

/** What is said of a whole recording; a deed changes some of it. */
export interface Outcome {
  /** Each head: g(ood), b(ad signature), f(orked). */
  readonly heads: string
  /** Each chunk's verdict, `p` for proved. */
  readonly chunks: readonly string[]
  readonly lost: readonly (readonly [number, number])[]
  /** How many entries are shown apart. */
  readonly apart: number
  readonly ending: string
  readonly missing: readonly number[]
  readonly repeated: number
  readonly metadata: unknown
  readonly notes: readonly unknown[]
}

export const WHOLE: Outcome = {
  heads: 'gggg',
  chunks: ['p', 'p', 'p', 'p', 'p'],
  lost: [],
  apart: 0,
  ending: 'complete',
  missing: [],
  repeated: 0,
  metadata: { title: 'a walk' },
  notes: [{ heard: 'bells' }],
}

export interface Deed {
  readonly party: string
  readonly deed: string
  /** Returns the other recordings whose objects lie at the store too. */
  readonly act: (scene: Scene) => Promise<readonly Recording[] | void>
  /** A code: the reader refuses to open. */
  readonly says: string | Partial<Outcome>
  /** For each chunk the head, from 1, whose block says when it existed. */
  readonly since?: readonly number[]
  /** Only the node or the gateway lies, so that the second reader, who asks neither, finds nothing. */
  readonly isServed?: boolean
}

export const none: readonly string[] = []
export const proved = (count: number): string[] => Array<string>(count).fill('p')
/** One chunk of the five is not proved. */
export const bad = (index: number, code: string) => ({ chunks: proved(5).with(index, code) })
/** What remains of the first two pages. */
export const TWO_PAGES = { chunks: proved(3), ending: 'open' }
export const random = (label: string, length = 32) => randomFrom(label).bytes(length)
export const flipped = (bytes: Buffer, at = bytes.length - 1) => {
  const other = Buffer.from(bytes)
  other[at]! ^= 1
  return other
}

export const signed = (
  { mine }: Scene,
  { head, ...rest }: Published,
  changes: Partial<Published['head']>,
): Published => ({
  ...rest,
  head: signHead(mine.keys.signing, { ...head, ...changes }),
})

/** What the recorder has not seen, in one page more. */
export async function thiefAppends(thief: Recording, index = 90): Promise<Published> {
  await thief.chunk(index, text('not what was seen'))
  return thief.publish()
}
