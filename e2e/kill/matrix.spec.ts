import type { StoreName } from '../stores.ts'
import { everyDeathMeetsEveryMoment } from './cell.ts'

// Promises 1, 2, 3, 4, 6, 7, 8 of docs/guarantees.md.

const STORES: readonly StoreName[] = ['ipfs', 'tus', 'put', 'pinata']

everyDeathMeetsEveryMoment(STORES)
