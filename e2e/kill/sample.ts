import type { StoreName } from '../stores.ts'
import type { DeathName } from './deaths.ts'
import type { MomentName } from './moments.ts'

/** A place in the matrix. */
export type Cell = readonly [store: StoreName, death: DeathName, moment: MomentName]

/** What `npm test` takes of the matrix: each death, each moment and each store. */
const SAMPLE: readonly Cell[] = [
  ['tus', 'the tab is closed', 'captured, raw bytes stored'],
  ['ipfs', 'the tab is closed', 'anchor-sent, the relay’s answer lost'],
  ['put', 'the renderer crashes', 'uploading, before the store has it'],
  ['pinata', 'the renderer crashes', 'page-sent, the store’s answer lost'],
  ['ipfs', 'the worker is stopped', 'hashing in the worker'],
  ['tus', 'the worker is stopped', 'uploading, the store’s answer lost'],
  ['put', 'the browser is killed', 'anchor-sent, before the relay acts'],
  ['ipfs', 'the network is cut', 'page-sent, before the store has it'],
  ['put', 'the backend is killed', 'encrypting in the worker'],
  ['tus', 'the backend is killed', 'page-began, the database held'],
  ['pinata', 'the chain node is killed', 'uploaded, a page before its own under way'],
  ['ipfs', 'the chain node is killed', 'anchor-taken, mined but not deep'],
]

export const isSampled = (cell: Cell): boolean =>
  SAMPLE.some((sampled) => sampled.every((name, at) => name === cell[at]))

/** @throws Error one of these names has no cell in the sample */
export function expectAllSampled(...lists: readonly (readonly string[])[]): void {
  for (const [at, names] of lists.entries())
    for (const name of names)
      if (!SAMPLE.some((cell) => cell[at] === name)) throw new Error(`The sample has no cell of "${name}".`)
}
