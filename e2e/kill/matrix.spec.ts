import { everyDeathMeets } from './cell.ts'
import { allMoments } from './moments.ts'

everyDeathMeets(allMoments('ipfs'), 'ipfs')
