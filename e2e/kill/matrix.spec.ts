import { everyDeathMeetsEveryMoment } from './cell.ts'

// Promises 1, 2, 3, 4, 6, 7, 8 of docs/guarantees.md.

everyDeathMeetsEveryMoment()
