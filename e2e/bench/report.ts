import type { Measured } from './comparison.ts'
import { median } from './median.ts'
import { isMet, rowsOf, type Row } from './rows.ts'
import type { Run } from './runs.ts'

const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)
const short = (number: number) => (number >= 100 ? number.toFixed(0) : number.toFixed(number >= 10 ? 1 : 2))
const spread = (numbers: readonly number[]) =>
  `${short(median(numbers))} (${short(sorted(numbers)[0] ?? NaN)}–${short(sorted(numbers).at(-1) ?? NaN)})`

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

const runOf = ({
  machine,
  measured,
}: Run) => `${machine.browser} without a debugger, Node ${machine.node}, ${machine.cpus}, load ${machine.load.toFixed(1)}, commit ${machine.commit}; medians of ${machine.rounds} alternating rounds, and from the least to the most:

${table([HEADINGS, HEADINGS.map(() => '---'), ...rowsOf(measured).map(cells)])}
`

/** `docs/benchmarks.md`: what was measured last of each comparison. */
export function report(runs: readonly Run[]): string {
  const rows = rowsOf(runs.flatMap(({ measured }) => measured))
  const missed = rows.filter((row) => !isMet(row)).map(({ comparison }) => `\`${comparison.name}\``)
  return `# Benchmarks

_How fast is it, compared with the browser under it?_ Written by \`npm run bench -- --write\`; no hand has changed it.

Times are a machine's, at its load. What holds elsewhere is the ratio: both sides did the same in the same run, different Blobs, over loopback, to one server that computes the checksum of what it received. CPU is the ratio of the times that the browser's processes were on the CPU for the same work: a machine that has other work changes it little.

![The ratio of each comparison, and its goal](benchmarks.svg)

${missed.length === 0 ? 'All goals are met.' : `Not met: ${missed.join(', ')}.`}

${runs.map(runOf).join('\n')}
## What is compared

${rows.map(({ comparison: { name, what } }) => `- \`${name}\`: ${what}.`).join('\n')}

The least that a chunk costs is counted, not timed, in [cost.test.ts](../sw/engine/cost.test.ts): transactions, bytes written and read, digests and requests, for each transport.
`
}
