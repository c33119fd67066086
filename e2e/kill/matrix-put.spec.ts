import { test } from '../fixtures.ts'
import { everyDeathMeets } from './cell.ts'
import { momentsTried } from './moments.ts'

test.use({ storeName: 'put' })

everyDeathMeets(momentsTried('put'), 'put')
