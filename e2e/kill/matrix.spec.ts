import { everyDeathMeets } from './cell.ts'
import { MOMENTS } from './moments.ts'

everyDeathMeets(MOMENTS)
