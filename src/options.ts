import type {
  AppendOptions,
  ConnectOptions,
  DiscardOptions,
  EndOptions,
  NoteOptions,
  SessionOptions,
  WaitOptions,
  WatchOptions,
} from './api.ts'
import { bad } from './bad-input.ts'

/** What an option may be: one of these, or 1: what is looked at where it is used. */
type Rule<Value> = readonly Value[] | 1

/** All that a call takes by name. */
export type Known<Options> = { readonly [Name in keyof Options]-?: Rule<Options[Name]> }

/**
 * A call's options. One that is misspelt would be left out without a word, and a wrong one fail later, where nobody knows
 * what it was for: both are refused.
 *
 * @throws HoldfastError `bad-input` that names it, and what there is
 */
export function optionsOf<Options extends object>(
  given: Options | undefined,
  known: Known<Options>,
): Options {
  for (const name in given) {
    const rule: Rule<unknown> | undefined = known[name]
    const isRight = rule === 1 || given[name] === undefined || rule?.includes(given[name])
    if (!rule || !isRight) throw bad(name, `not one of ${rule ?? Object.keys(known)}.`)
  }
  return given ?? ({} as Options)
}

export const CONNECT: Known<ConnectOptions> = {
  scriptUrl: 1,
  type: ['module', 'classic'],
  scope: 1,
  onUpdate: 1,
  timeoutMs: 1,
  signal: 1,
}

export const SESSION: Known<SessionOptions> = {
  groups: 1,
  mimeType: 1,
  startedAtMs: 1,
  seal: ['page', 'worker'],
  stores: 1,
  atLeast: [1, 2, 3, 4, 5, 6, 7, 8],
  metadata: 1,
  labels: 1,
  fingerprint: 1,
  signal: 1,
}

export const APPEND: Known<AppendOptions> = {
  capturedAtMs: 1,
  durationMs: 1,
  onStalled: 1,
  signal: 1,
}
export const NOTE: Known<NoteOptions> = { atMs: 1, signal: 1 }
export const END: Known<EndOptions> = { how: ['interrupted'], signal: 1 }
export const DISCARD: Known<DiscardOptions> = { confirm: 1, signal: 1 }
export const WATCH: Known<WatchOptions> = { onStalled: 1, signal: 1 }
export const WAIT: Known<WaitOptions> = { signal: 1 }
