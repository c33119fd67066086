import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

/** What the command line asks for. */
export interface Options {
  readonly runs: number
  readonly seed: number
  /** Only this run of the seed. */
  readonly run: number | undefined
  /** Only the scenario with deaths at these moments. */
  readonly deaths: readonly number[] | undefined
  /** With `deaths`: what is under way when a worker dies arrives this much later, ms. */
  readonly laterMs: number | undefined
  readonly pairs: boolean
  readonly threads: number
  /** Begins again, though a long run has stopped before its end. */
  readonly afresh: boolean
  readonly json: boolean
  readonly help: boolean
}

/** An option that cannot be what was meant; `option` names it. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
  readonly option: string

  constructor(option: string, message: string) {
    super(message)
    this.option = option
  }
}

export const HELP = `npm run simulate -- [options]

Runs the engine in a simulated world, kills its workers at every moment, and looks whether every promise was kept.

  --runs N        random histories (default 1000; 0: none)
  --seed S        makes the same histories again (default 1)
  --run K         only run K of the seed, and what happened in it
  --deaths I[,J]  only the scenario whose workers die at these moments, and what happened in it
  --later MS      with --deaths: what is under way when a worker dies arrives this much later
  --no-pairs      every single death of the scenario, but not every pair of them
  --threads N     default: one for each core
  --afresh        runs again what a long run (over 10000) has run before; without, it goes on where it stopped
  --json          one line: runs, seed, singles, pairs, steps, kills, failures, seconds
  --help

Exit code 0: every promise was kept; 1: one was broken; 2: bad options.`

/** @throws OptionError */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parsed(args)
  const deaths = values.deaths?.split(',').map((moment) => wholeNumber('deaths', moment, 1))
  return {
    runs: wholeNumber('runs', values.runs ?? '1000', 0),
    seed: wholeNumber('seed', values.seed ?? '1', 0),
    run: values.run === undefined ? undefined : wholeNumber('run', values.run, 0),
    deaths,
    laterMs: values.later === undefined ? undefined : wholeNumber('later', values.later, 0),
    pairs: values['no-pairs'] !== true,
    threads: wholeNumber('threads', values.threads ?? String(availableParallelism()), 1),
    afresh: values.afresh === true,
    json: values.json === true,
    help: values.help === true,
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string' },
        seed: { type: 'string' },
        run: { type: 'string' },
        deaths: { type: 'string' },
        later: { type: 'string' },
        'no-pairs': { type: 'boolean' },
        threads: { type: 'string' },
        afresh: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new OptionError(/--[a-z-]+/.exec(message)?.[0] ?? '', message)
  }
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
  throw new OptionError(`--${option}`, `--${option} takes a whole number from ${least}, not "${text}".`)
}
