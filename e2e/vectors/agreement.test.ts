import { expect, it } from 'vitest'
import { compareReaders } from './agreement.ts'
import { seedsFrom } from './tampering.ts'

// All 1,000: node dist/e2e/vectors/compare.js

it('the product’s reader and the second one say the same of 100 random sessions, good and bad', async () => {
  const { found, differences } = await compareReaders(seedsFrom(0, 100))
  expect(differences).toEqual([])
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining(['all proved', 'bad chunks', 'lost entries', 'forked']),
  )
})
