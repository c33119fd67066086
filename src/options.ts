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

/** All that a call takes by name. */
export type Known<Options> = { readonly [Name in keyof Options]-?: 1 }

/**
 * A call's options. One that is misspelt would be left out without a word: it is refused.
 *
 * @throws HoldfastError `bad-input` that names it, and those that there are
 */
export function optionsOf<Options extends object>(
  given: Options | undefined,
  known: Known<Options>,
): Options {
  for (const name in given) if (!known[name]) throw bad(name, `not one of ${Object.keys(known)}.`)
  return given ?? ({} as Options)
}

export const CONNECT: Known<ConnectOptions> = {
  scriptUrl: 1,
  type: 1,
  scope: 1,
  onUpdate: 1,
  timeoutMs: 1,
  signal: 1,
}

export const SESSION: Known<SessionOptions> = {
  groups: 1,
  mimeType: 1,
  startedAtMs: 1,
  seal: 1,
  stores: 1,
  atLeast: 1,
  metadata: 1,
  labels: 1,
  fingerprint: 1,
  signal: 1,
}

export const APPEND: Known<AppendOptions> = { capturedAtMs: 1, durationMs: 1, onStalled: 1, signal: 1 }
export const NOTE: Known<NoteOptions> = { atMs: 1, signal: 1 }
export const END: Known<EndOptions> = { how: 1, signal: 1 }
export const DISCARD: Known<DiscardOptions> = { confirm: 1, signal: 1 }
export const WATCH: Known<WatchOptions> = { onStalled: 1, signal: 1 }
export const WAIT: Known<WaitOptions> = { signal: 1 }
