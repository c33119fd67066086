import { test } from '../fixtures.ts'
import { everyDeathMeets } from './cell.ts'
import { momentsTried } from './moments.ts'

// Promise 2 of docs/guarantees.md.

test.use({ storeName: 'put' })

everyDeathMeets(momentsTried('put'), 'put')
