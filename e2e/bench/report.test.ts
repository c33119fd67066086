import { describe, expect, it } from 'vitest'
import type { Measured, Name } from './comparison.ts'
import { plot } from './plot.ts'
import { report } from './report.ts'
import { rowsOf } from './rows.ts'
import { withRun, type Run } from './runs.ts'

const round = (name: Name, ours: number): Measured => ({ name, ours, bare: 100 })
const runOf = (commit: string, measured: readonly Measured[]): Run => ({
  machine: { browser: 'Chromium 1', node: 'v20', cpus: '2 × CPU', load: 1, commit, rounds: 1 },
  measured,
})

const whole = runOf('aaa', [round('handoff', 150), round('seal', 110), round('seal', 120)])

describe('what is written down of the benchmarks', () => {
  it('has what was measured last of each comparison, with the run that it is of', () => {
    const runs = withRun([whole], runOf('bbb', [round('handoff', 90)]))
    expect(runs.map(({ machine, measured }) => [machine.commit, measured.map(({ name }) => name)])).toEqual([
      ['bbb', ['handoff']],
      ['aaa', ['seal', 'seal']],
    ])
    const document = report(runs)
    expect(document).toMatch(/commit bbb.*\n\n.*\n.*\n\| handoff \|/)
    expect(document).toMatch(/commit aaa.*\n\n.*\n.*\n\| seal \|/)
    expect(document).toContain('Not met: `seal`.')
  })

  it('no longer has a run of which all was measured anew, nor a comparison that is gone', () => {
    const gone = { ...round('seal', 1), name: 'what there was' as Name }
    expect(withRun([runOf('aaa', [round('seal', 110), gone])], runOf('bbb', [round('seal', 100)]))).toEqual([
      runOf('bbb', [round('seal', 100)]),
    ])
  })

  it('shows each ratio with its goal, met or not, and the spread of its rounds', () => {
    const image = plot(rowsOf(whole.measured))
    expect(image.match(/class="(met|missed)"/g)).toEqual(['class="missed"', 'class="missed"'])
    const goals = plot(rowsOf([round('handoff', 125), round('drain-put', 80)]))
    expect(goals.match(/class="(met|missed)"/g)).toEqual(['class="met"', 'class="met"'])
  })
})
