import { everyDeathMeets } from './cell.ts'
import { allMoments } from './moments.ts'

// Promises 1, 3, 4, 6, 7, 8 of docs/guarantees.md.

everyDeathMeets(allMoments('ipfs'), 'ipfs')
