import { witnessByChain } from '../../sw/engine/witness.ts'
import type { Anchor } from '../../sw/ports/anchor.ts'

/** No chain: what is measured ends at the store. */
export const nobody: Anchor = {
  name: 'nobody',
  identity: 'nobody',
  witness: witnessByChain,
  pollMs: 3_600_000,
  everyMs: 3_600_000,
  read: async () => ({ blockNumber: 0 }),
  submit: async () => undefined,
  events: async () => [],
}
