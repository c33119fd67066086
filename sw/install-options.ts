import { HoldfastError } from '../src/protocol/errors.ts'
import type { InstallOptions } from './install.ts'

/** What each is known by: the type of its value, or a method of it. */
const OPTIONS: Readonly<Record<keyof InstallOptions, string>> = {
  transport: 'send',
  anchor: 'submit',
  identity: 'string',
  sealer: 'function',
  onSettled: 'function',
  lastChance: 'function',
  watch: 'function',
  wake: 'function',
  clientsClaim: 'boolean',
}

/**
 * What JavaScript callers pass may be anything.
 *
 * @throws HoldfastError `bad-input` that names the option and what is expected of it
 */
export function checkOptions(options: InstallOptions): void {
  const given: Partial<InstallOptions> = options
  for (const [name, value] of Object.entries({ transport: undefined, ...given })) {
    const kind = OPTIONS[name as keyof InstallOptions]
    const fits = typeof value === kind || typeof Object(value)[kind] === 'function'
    if (fits || (value === undefined && name !== 'transport')) continue
    const wrong = kind ? `expected a working ${name} (${kind})` : `there are only ${Object.keys(OPTIONS)}`
    throw new HoldfastError('bad-input', `install({ ${name} }): ${wrong}.`)
  }
}
