import { describe, test } from 'vitest'
import {
  TRANSPORT_CONTRACT,
  type TransportCase,
  type TransportHarness,
} from '../../sw/contracts/transport.contract.ts'
import { sampleOf, takesWhole } from '../test-size.ts'

/** How the titles begin of cases that differ in what the store answers, and are told apart by nothing else. */
const KINDS = [
  'gives up on',
  'tries 50',
  'asks again after',
  'does not believe',
  'sends no third copy',
  'is neither fooled by',
  'sends nothing on to',
  'settles a single',
  'honours Retry-After',
  'starts a half-done upload over',
]

/** The first of each kind, and all that is the only one of its kind. */
const ONE_OF_EACH_KIND = TRANSPORT_CONTRACT.filter(({ title }) => {
  const kind = KINDS.find((start) => title.startsWith(start))
  return kind === undefined || TRANSPORT_CONTRACT.find((one) => one.title.startsWith(kind))?.title === title
})

/** Runs the contract of transports, here in Node; `npm test` has one case of each kind. */
export function describeContract(by: string, harness: () => TransportHarness): void {
  describeCases(by, takesWhole() ? TRANSPORT_CONTRACT : ONE_OF_EACH_KIND, harness)
}

/** The same of a transport that meets its contract over another store, too: `npm test` has every third of those. */
export function describeSample(by: string, harness: () => TransportHarness): void {
  describeCases(by, takesWhole() ? TRANSPORT_CONTRACT : sampleOf(ONE_OF_EACH_KIND), harness)
}

function describeCases(by: string, cases: readonly TransportCase[], harness: () => TransportHarness): void {
  describe(`the contract, by ${by}`, () => {
    for (const { title, run } of cases) test(title, () => run(harness()))
  })
}
