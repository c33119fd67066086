import { check, type Rule } from './options.ts'
import { POLICIES } from './protocol/snapshot.ts'

/** What calls are given beside their options, by the field of the message that it goes into. */
const ARGUMENTS: Readonly<Record<string, Rule<unknown>>> = {
  sessionId: /^string [0-9a-f-]{36}$/,
  index: /^number \d+$/,
  policy: POLICIES,
}

/**
 * Looks at what a call asks of the worker, which would refuse it too, in words about messages.
 *
 * @throws HoldfastError `bad-input` that names the argument
 */
export function checkArguments(request: object): void {
  for (const [name, value] of Object.entries(request)) check(name, value, ARGUMENTS[name] ?? 1)
}
