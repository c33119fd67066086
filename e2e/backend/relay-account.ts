import { mnemonicToAccount, type HDAccount } from 'viem/accounts'

/**
 * The account that pays and signs for the relay: a development account of anvil, known to everybody.
 *
 * The last of its ten, as tools and tests reach for the first.
 */
export function relayAccount(): HDAccount {
  return mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: 9 })
}

/** Far above what anvil ever asks, so that a transaction signed once stays valid after any reorganisation. */
export const FEES = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n } as const
