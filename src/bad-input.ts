import { HoldfastError } from './protocol/errors.ts'

export const bad = (argument: string, what: string) => new HoldfastError('bad-input', `${argument}: ${what}`)

/**
 * Refuses an option that is misspelt, which would be left out without a word.
 *
 * @param others the options that nobody has taken
 * @throws HoldfastError `bad-input`
 */
export function refuseOthers(others: object): void {
  for (const name in others) throw bad(name, 'there is no such option.')
}
