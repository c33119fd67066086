import { COMPARISONS, type Comparison, type Measured } from './comparison.ts'
import { median } from './median.ts'

export interface Machine {
  readonly browser: string
  readonly node: string
  readonly cpus: string
  /** Of the last minute, when the run ended. */
  readonly load: number
  readonly commit: string
  readonly rounds: number
}

interface Row {
  readonly comparison: Comparison
  readonly ours: readonly number[]
  readonly bare: readonly number[]
  readonly ratios: readonly number[]
  /** Of the times on the CPU. */
  readonly cpuRatios: readonly number[]
}

const rowsOf = (measured: readonly Measured[]): Row[] =>
  COMPARISONS.flatMap((comparison) => {
    const rounds = measured.filter(({ name }) => name === comparison.name)
    if (rounds.length === 0) return []
    return {
      comparison,
      ours: rounds.map(({ ours }) => ours),
      bare: rounds.map(({ bare }) => bare),
      // Within a round, where the machine was the same for both.
      ratios: rounds.map(({ ours, bare }) => ours / bare),
      cpuRatios: rounds.flatMap(({ cpuMs }) => (cpuMs ? cpuMs.ours / cpuMs.bare : [])),
    }
  })

const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)
const short = (number: number) => (number >= 100 ? number.toFixed(0) : number.toFixed(number >= 10 ? 1 : 2))
const spread = (numbers: readonly number[]) =>
  `${short(median(numbers))} (${short(sorted(numbers)[0] ?? NaN)}–${short(sorted(numbers).at(-1) ?? NaN)})`

const isMet = ({ comparison: { goal }, ratios }: Row) =>
  goal.is === 'at most' ? median(ratios) <= goal.ratio : median(ratios) >= goal.ratio

const cells = (row: Row) => [
  row.comparison.name,
  `${spread(row.ours)} ${row.comparison.unit}`,
  spread(row.bare),
  spread(row.ratios),
  `${row.comparison.goal.is} ${row.comparison.goal.ratio}`,
  isMet(row) ? 'yes' : 'no',
  row.cpuRatios.length > 0 ? spread(row.cpuRatios) : '',
]

const HEADINGS = ['name', 'holdfast', 'bare', 'ratio', 'goal', 'met', 'CPU']

const table = (rows: readonly (readonly string[])[]) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n')

/** For the terminal. */
export const summary = (measured: readonly Measured[]) => table([HEADINGS, ...rowsOf(measured).map(cells)])

/** `docs/benchmarks.md`. */
export function report(measured: readonly Measured[], machine: Machine): string {
  const rows = rowsOf(measured)
  const missed = rows.filter((row) => !isMet(row)).map(({ comparison }) => `\`${comparison.name}\``)
  return `# Benchmarks

_How fast is it, compared with the browser under it?_ Written by \`npm run bench -- --write\`; no hand has changed it.

${machine.browser} without a debugger, Node ${machine.node}, ${machine.cpus}, load ${machine.load.toFixed(1)}, commit ${machine.commit}; medians of ${machine.rounds} alternating rounds, and from the least to the most. Times are this machine's, at that load. What holds elsewhere is the ratio: both sides did the same in the same run, different Blobs, over loopback, to one server that computes the checksum of what it received. CPU is the ratio of the times that the browser's processes were on the CPU for the same work: a machine that has other work changes it little.

${table([HEADINGS, HEADINGS.map(() => '---'), ...rows.map(cells)])}

${missed.length === 0 ? 'All goals are met.' : `Not met: ${missed.join(', ')}.`}

## What is compared

${rows.map(({ comparison: { name, what } }) => `- \`${name}\`: ${what}.`).join('\n')}

The least that a chunk costs is counted, not timed, in [cost.test.ts](../sw/engine/cost.test.ts): transactions, bytes written and read, digests and requests, for each transport.
`
}
