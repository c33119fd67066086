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
import { DISCARD_CONFIRMATION } from './protocol/messages.ts'

/** What a value may be: one of these; its type and its text like this; or 1: what is looked at where it is used. */
export type Rule<Value> = readonly Value[] | RegExp | 1

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
    check(name, name, Object.keys(known))
    if (given[name] !== undefined) check(name, given[name], known[name])
  }
  return given ?? ({} as Options)
}

/** @throws HoldfastError `bad-input` that names it, and what it may be */
export function check(name: string, value: unknown, rule: Rule<unknown>): void {
  if (rule === 1) return
  const [isRight, expected] =
    'test' in rule ? [rule.test(`${typeof value} ${value}`), 'like'] : [rule.includes(value), 'one of']
  if (!isRight) throw bad(name, `not ${expected} ${rule}.`)
}

/** As a browser writes one: its controller in its place is an easy mistake. */
export const SIGNAL = /^object .*AbortSignal/
export const FUNCTION = /^function/

export const CONNECT: Known<ConnectOptions> = {
  scriptUrl: 1,
  type: ['module', 'classic'],
  scope: 1,
  onUpdate: FUNCTION,
  timeoutMs: 1,
  signal: SIGNAL,
}

export const SESSION: Known<SessionOptions> = {
  groups: 1,
  mimeType: 1,
  startedAtMs: 1,
  seal: ['page', 'worker'],
  // Which there are is the worker's to know.
  stores: /^object ([^,[]{1,64}(,|$)){1,8}$/,
  atLeast: [1, 2, 3, 4, 5, 6, 7, 8],
  metadata: 1,
  labels: 1,
  fingerprint: /^string [0-9a-f]{64}$/,
  signal: SIGNAL,
}

export const APPEND: Known<AppendOptions> = {
  capturedAtMs: 1,
  durationMs: 1,
  onStalled: FUNCTION,
  signal: SIGNAL,
}
export const NOTE: Known<NoteOptions> = { atMs: 1, signal: SIGNAL }
export const END: Known<EndOptions> = { how: ['interrupted'], signal: SIGNAL }
export const DISCARD: Known<DiscardOptions> = { confirm: [DISCARD_CONFIRMATION], signal: SIGNAL }
export const WATCH: Known<WatchOptions> = { onStalled: FUNCTION, signal: SIGNAL }
export const WAIT: Known<WaitOptions> = { signal: SIGNAL }
