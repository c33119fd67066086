import { test } from '../fixtures.ts'
import { everyDeathMeets } from './cell.ts'
import { momentsTried } from './moments.ts'

test.use({ storeName: 'tus' })

everyDeathMeets(momentsTried('tus'), 'tus')
