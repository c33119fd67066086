import { median } from './median.ts'
import { isMet, type Row } from './rows.ts'

const WIDTH = 760
const LABELS = 190
const ROW = 26
const TOP = 40
/** Ratios at the left end and at the right, a power of two each. */
const [LEAST, MOST] = [0.25, 4]
const TICKS = [0.25, 0.5, 1, 2, 4]

const STYLE = `
  .back { fill: #fff } text { font: 12px system-ui, sans-serif; fill: #1c2321 }
  .grid { stroke: #d6dcd9 } .even { stroke: #7b8783 } .spread { stroke: #3d6b5c; stroke-width: 2 }
  .met { fill: #1b7a5a; stroke: #1b7a5a } .missed { fill: #fff; stroke: #b3471d; stroke-width: 2 }
  .goal { fill: none; stroke: #1c2321; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1513 } text { fill: #e4eae7 } .grid { stroke: #36403c } .even { stroke: #8b9792 } .spread { stroke: #79b7a2 }
    .met { fill: #5fd0a6; stroke: #5fd0a6 } .missed { fill: #0d1513; stroke: #f0895c } .goal { stroke: #e4eae7 }
  }`

const x = (ratio: number) => {
  const within = Math.min(MOST, Math.max(LEAST, ratio))
  return LABELS + ((WIDTH - LABELS - 20) * Math.log(within / LEAST)) / Math.log(MOST / LEAST)
}

/** The ratio of each comparison, from the least to the most of its rounds, and its goal: an SVG image. */
export function plot(rows: readonly Row[]): string {
  const height = TOP + rows.length * ROW + 30
  const ticks = TICKS.map(
    (ratio) =>
      `<line class="${ratio === 1 ? 'even' : 'grid'}" x1="${x(ratio)}" x2="${x(ratio)}" y1="${TOP - 8}" y2="${height - 26}"/>` +
      `<text x="${x(ratio)}" y="${TOP - 16}" text-anchor="middle">${ratio}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>Holdfast over the bare browser: the ratio of each comparison, and its goal</title>
<style>${STYLE}
</style>
<rect class="back" width="100%" height="100%"/>
${[...ticks, ...rows.map(rowAt)].join('\n')}
<text x="${LABELS}" y="${height - 6}">● goal met · ○ not met · ⊢ goal, and the side of it on which the ratio should lie</text>
</svg>
`
}

function rowAt(row: Row, at: number): string {
  const { comparison, ratios } = row
  const { is, ratio } = comparison.goal
  const y = TOP + at * ROW + ROW / 2
  const [goal, side] = [x(ratio), is === 'at most' ? -8 : 8]
  return [
    `<text x="${LABELS - 14}" y="${y + 4}" text-anchor="end">${comparison.name}</text>`,
    `<path class="goal" d="M${goal} ${y - 8}V${y + 8}M${goal} ${y}h${side}"/>`,
    `<line class="spread" x1="${x(Math.min(...ratios))}" x2="${x(Math.max(...ratios))}" y1="${y}" y2="${y}"/>`,
    `<circle class="${isMet(row) ? 'met' : 'missed'}" cx="${x(median(ratios))}" cy="${y}" r="5"/>`,
  ].join('')
}
