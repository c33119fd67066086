import { describe, test } from 'vitest'
import { TRANSPORT_CONTRACT, type TransportHarness } from '../../sw/contracts/transport.contract.ts'

/** Runs the contract of transports, here in Node. */
export function describeContract(by: string, harness: () => TransportHarness): void {
  describe(`the contract, by ${by}`, () => {
    for (const { title, run } of TRANSPORT_CONTRACT) test(title, () => run(harness()))
  })
}
