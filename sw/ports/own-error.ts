import { HoldfastError } from '../../src/protocol/errors.ts'

/** What this side found out by itself, its store among it: whoever is behind another port is not believed of the device. */
export class OwnError extends HoldfastError {}
