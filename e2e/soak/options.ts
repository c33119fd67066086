import { parseArgs } from 'node:util'

export interface SoakOptions {
  readonly kills: number
  readonly seed: number
  /** Nothing is killed after this time, even if kills are left. */
  readonly minutes: number
  /** Print the last line alone. */
  readonly quiet: boolean
}

export const HELP = `Kills Holdfast at random, then verifies every chunk that was ever acknowledged.

  npm run soak -- [options]

  --kills N     how often to kill something (default 50)
  --seed S      whole number; the same seed makes the same choices (default: from the clock)
  --minutes M   kill nothing after this time (default 60)
  --json        no progress on standard error
  --help        this text

The last line, on standard output, is JSON: kills, byKind, sessions, acknowledged, lost, duplicated, corrupted,
unconfirmed, seconds, seed. The exit code is 0 only if kills were as many as asked for and nothing was lost,
duplicated, corrupted or unconfirmed.`

/** What was asked for cannot be done; the message says why, and what can. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

/**
 * The command line as options; `help` where that is asked for.
 *
 * @throws OptionError
 */
export function soakOptions(args: readonly string[], nowMs: number): SoakOptions | 'help' {
  const { values } = parsed(args)
  if (values.help) return 'help'
  return {
    kills: whole('kills', values.kills, 1, 100_000),
    seed: whole('seed', values.seed ?? String(nowMs % 2 ** 32), 0, 2 ** 32 - 1),
    minutes: whole('minutes', values.minutes, 1, 24 * 60),
    quiet: values.json,
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        kills: { type: 'string', default: '50' },
        seed: { type: 'string' },
        minutes: { type: 'string', default: '60' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new OptionError(`${what}\n  --help lists the options.`, { cause })
  }
}

function whole(name: string, value: string, from: number, to: number): number {
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= from && number <= to) return number
  throw new OptionError(`--${name} takes a whole number from ${from} to ${to}, not "${value}".`)
}
