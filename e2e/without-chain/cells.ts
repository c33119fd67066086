import { coverageOf, coveringCells, has, type Dimensions, type Place } from '../kill/covering.ts'
import type { DeathName } from '../kill/deaths.ts'
import { LANDING } from '../test-size.ts'

const DEATHS = [
  'the tab is closed',
  'the renderer crashes',
  'the worker is stopped',
  'the browser is killed',
  'the network is cut',
  'the backend is killed',
] as const satisfies DeathName[]

/** The last word without a chain: stores that take heads under the name of their content, or by the client's name. */
export const HEADS = {
  places: ['ipfs', 'tus', 'put'],
  deaths: DEATHS,
  moments: ['head-sent, before the store has it', 'head-sent, the store’s answer lost'],
} as const satisfies Dimensions

/** The app is told. Its server is none of the backend, and whom its bytes went to makes no difference to how it hears. */
export const TELLINGS = {
  places: ['put, told', 'a chain and ipfs'],
  deaths: DEATHS.slice(0, -1),
  moments: [
    'the app asked, before it takes it',
    'the app has taken it, its answer lost',
    'the app has answered, not written down',
    'the app has refused, another try to come',
  ],
} as const satisfies Dimensions

/** What `.ci/run` takes of these cells: each death and each moment of the last word and of the telling. */
const SAMPLE: readonly Place[] = [
  ['put', 'the worker is stopped', 'head-sent, before the store has it'],
  ['tus', 'the browser is killed', 'head-sent, the store’s answer lost'],
  ['put, told', 'the worker is stopped', 'the app asked, before it takes it'],
  ['put, told', 'the browser is killed', 'the app has taken it, its answer lost'],
  ['put, told', 'the worker is stopped', 'the app has answered, not written down'],
  ['a chain and ipfs', 'the browser is killed', 'the app has refused, another try to come'],
]

/** Whether the store has a head is asked by its own rules, whatever became of the request. */
const always = () => true
/** No store is asked any more. */
const never = () => false

const of = (dimensions: Dimensions) =>
  SAMPLE.filter(([place]) => (dimensions.places as readonly string[]).includes(place))
const heads = coveringCells(HEADS, always, of(HEADS))
const tellings = coveringCells(TELLINGS, never, of(TELLINGS))

export const HEADS_COVERAGE = coverageOf(HEADS, always, heads)
export const TELLINGS_COVERAGE = coverageOf(TELLINGS, never, tellings)

/**
 * Whether `npm test` takes it, or `.ci/run`: the first of its kind, with a worker that is stopped. To kill a browser
 * takes three times as long.
 */
export function isSampled(cell: Place): boolean | typeof LANDING {
  if (!has(SAMPLE, cell)) return false
  const [place, death] = cell
  const first = SAMPLE.find((one) => one[0] === place && one[1] === death)
  return (death === 'the worker is stopped' && has([first!], cell)) || LANDING
}
/** Whether `npm test -- --all` takes it. */
export const isCovering = (cell: Place): boolean => has(heads, cell) || has(tellings, cell)
