import { STORES, type StoreName } from '../stores.ts'
import { LANDING } from '../test-size.ts'
import { coverageOf, coveringCells, has, type Dimensions, type Place } from './covering.ts'
import type { DeathName } from './deaths.ts'
import type { MomentName } from './moments.ts'

/** A place in the matrix. */
export type Cell = readonly [store: StoreName, death: DeathName, moment: MomentName]

/** Every death meets every moment over every store: no combination is impossible. */
export const MATRIX = {
  places: Object.keys(STORES),
  deaths: [
    'the tab is closed',
    'the renderer crashes',
    'the worker is stopped',
    'the browser is killed',
    'the network is cut',
    'the backend is killed',
    'the chain node is killed',
  ] satisfies DeathName[],
  moments: [
    'captured, raw bytes stored',
    'hashing in the worker',
    'encrypting in the worker',
    'uploading, before the store has it',
    'uploading, the store’s answer lost',
    'uploaded, a page before its own under way',
    'page-began, the database held',
    'page-sent, before the store has it',
    'page-sent, the store’s answer lost',
    'anchor-sent, before the relay acts',
    'anchor-sent, the relay’s answer lost',
    'anchor-taken, mined but not deep',
  ] satisfies MomentName[],
} as const satisfies Dimensions

/** What `.ci/run` takes of the matrix: each death, each moment and each store. The first of each death is in `npm test`. */
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

/** A cell that has found a mistake once stays. */
const HAS_FOUND: readonly Cell[] = [
  ['ipfs', 'the chain node is killed', 'anchor-sent, the relay’s answer lost'],
]

/** The store is at work on a chunk: how far it came is its transport's to find out. */
const UPLOADING: readonly string[] = [
  'uploading, before the store has it',
  'uploading, the store’s answer lost',
] satisfies MomentName[]

/** The store is at work on a page, which each transport sends as it sends a small chunk. */
const PAGE_SENT: readonly string[] = [
  'page-sent, before the store has it',
  'page-sent, the store’s answer lost',
] satisfies MomentName[]

/** Nothing of these reaches a request to the store: its worker lives, and so do its network and its server. */
const SPARES_REQUESTS: readonly string[] = [
  'the tab is closed',
  'the chain node is killed',
] satisfies DeathName[]

/** Whether which store it is matters to what this death does at this moment. */
export const storeMeets = (death: string, moment: string): boolean =>
  UPLOADING.includes(moment) || (PAGE_SENT.includes(moment) && !SPARES_REQUESTS.includes(death))

/** What `npm test -- --all` takes of the matrix. */
const COVERING = coveringCells(MATRIX, storeMeets, [...SAMPLE, ...HAS_FOUND])

export const MATRIX_COVERAGE = coverageOf(MATRIX, storeMeets, COVERING)

/** Of these `npm test` has another test: of a browser in lifetime, of a node in e2e/backend. */
const LANDED: readonly string[] = ['the browser is killed', 'the chain node is killed'] satisfies DeathName[]

/** Whether `npm test` takes it, or `.ci/run`. */
export function isSampled(cell: Place): boolean | typeof LANDING {
  if (!has(SAMPLE, cell)) return false
  const firstOfItsDeath = SAMPLE.find(([, death]) => death === cell[1] && !LANDED.includes(death))
  return (firstOfItsDeath !== undefined && has([firstOfItsDeath], cell)) || LANDING
}
export const isCovering = (cell: Place): boolean => has(COVERING, cell)

/** @throws Error a name has no cell in the sample */
export function expectAllSampled({ places, deaths, moments }: Dimensions): void {
  for (const [at, names] of [places, deaths, moments].entries())
    for (const name of names)
      if (!SAMPLE.some((cell) => cell[at] === name)) throw new Error(`The sample has no cell of "${name}".`)
}
