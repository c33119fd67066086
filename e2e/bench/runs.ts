import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../backend/repository-root.ts'
import { COMPARISONS, type Measured } from './comparison.ts'

export interface Machine {
  readonly browser: string
  readonly node: string
  readonly cpus: string
  /** Of the last minute, when the run ended. */
  readonly load: number
  readonly commit: string
  readonly rounds: number
}

/** What one run has measured, and on what. */
export interface Run {
  readonly machine: Machine
  readonly measured: readonly Measured[]
}

/** Where what was measured lies, the plot that is made of it, and the document. */
export const FILES = {
  runs: inDocs('benchmarks.json'),
  plot: inDocs('benchmarks.svg'),
  document: inDocs('benchmarks.md'),
} as const

function inDocs(name: string): string {
  return join(repositoryRoot(), 'docs', name)
}

/** Runs of earlier days, the newest first; none where none was written down. */
export async function earlierRuns(): Promise<readonly Run[]> {
  const text = await readFile(FILES.runs, 'utf8').catch(() => '[]')
  return JSON.parse(text) as readonly Run[]
}

/** With this run, which takes the place of what was measured of the same comparisons before. */
export function withRun(earlier: readonly Run[], run: Run): readonly Run[] {
  const anew = new Set(run.measured.map(({ name }) => name))
  // A comparison that is gone is no longer told of.
  const isTold = ({ name }: Measured) => !anew.has(name) && COMPARISONS.some((one) => one.name === name)
  const rest = earlier.map(({ machine, measured }) => ({ machine, measured: measured.filter(isTold) }))
  return [run, ...rest].filter(({ measured }) => measured.length > 0)
}
