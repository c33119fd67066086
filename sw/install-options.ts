import { HoldfastError } from '../src/protocol/errors.ts'
import type { InstallOptions } from './install.ts'

/** Methods by which an option is known to be what is expected. */
const EXPECTED = {
  send: 'a working transport',
  submit: 'a working anchor',
  call: 'a function',
  trim: 'a text',
}

/** Which of them each option has to have. */
const OPTIONS: Readonly<Record<keyof InstallOptions, keyof typeof EXPECTED>> = {
  transport: 'send',
  anchor: 'submit',
  identity: 'trim',
  sealer: 'call',
  onSettled: 'call',
  lastChance: 'call',
  watch: 'call',
  wake: 'call',
}

/**
 * What JavaScript callers pass may be anything.
 *
 * @throws HoldfastError `bad-input` that names the option and what is expected of it
 */
export function checkOptions(options: InstallOptions): void {
  const given: Record<string, Record<string, unknown> | undefined> = { ...options } as never
  for (const name of Object.keys({ transport: 0, ...given })) {
    const method = OPTIONS[name as keyof InstallOptions]
    const value = given[name]
    if (typeof value?.[method] === 'function' || (value === undefined && name !== 'transport')) continue
    const wrong = method ? `expected ${EXPECTED[method]}` : `there are only ${Object.keys(OPTIONS)}`
    throw new HoldfastError('bad-input', `install({ ${name} }): ${wrong}.`)
  }
}
