import { test } from '../fixtures.ts'
import { everyDeathMeets } from './cell.ts'
import { uploadMoments } from './moments.ts'

test.use({ storeName: 'pinata' })

everyDeathMeets(uploadMoments('pinata'))
