import { expect, it } from 'vitest'
import { compareReaders } from './agreement.ts'
import { takesWhole } from '../whole.ts'
import { seedsFrom } from './tampering.ts'

// All 1,000: node dist/e2e/vectors/compare.js

const COUNT = takesWhole() ? 100 : 40

it(`the product’s reader and the second one say the same of ${COUNT} random sessions, good and bad`, async () => {
  const { found, differences } = await compareReaders(seedsFrom(0, COUNT))
  expect(differences).toEqual([])
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining(['all proved', 'bad chunks', 'lost entries', 'forked']),
  )
})
