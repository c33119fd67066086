import { HoldfastError } from './protocol/errors.ts'

export const bad = (argument: string, what: string) => new HoldfastError('bad-input', `${argument}: ${what}`)
