import { expect, it } from 'vitest'
import { takesWhole } from '../test-size.ts'
import { saidInSteps } from './product-reader.ts'
import { seedsFrom, tamper } from './tampering.ts'

// All 1,000: node dist/e2e/second-implementation/tamper.js

const COUNT = takesWhole() ? 100 : 35

it(`${COUNT} random tamperings with all that is read are found, or change nothing that the reader says`, async () => {
  const { found, missed } = await tamper(seedsFrom(0, COUNT))
  expect(missed).toEqual([])
  // Of each kind there were some, and not all were harmless.
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining([
      'eth_getLogs: chain-answer',
      'eth_call: chain-answer',
      'object: lost entries',
      'object: chunk-address',
    ]),
  )
})

it(`nor are ${COUNT} missed by a reader that begins before it knows all, or believed in the beginning`, async () => {
  const { found, missed } = await tamper(seedsFrom(0, COUNT), saidInSteps)
  expect(missed).toEqual([])
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining(['eth_getLogs: chain-answer', 'object: chunk-address']),
  )
})
