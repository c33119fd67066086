import { mnemonicToAccount, type HDAccount } from 'viem/accounts'

let account: HDAccount | undefined

/**
 * The account that pays and signs for the relay: a development account of anvil, known to everybody.
 *
 * The last of its ten, as tools and tests reach for the first. Derived once, for that takes a tenth of a second.
 */
export function relayAccount(): HDAccount {
  account ??= mnemonicToAccount(`${'test '.repeat(11)}junk`, { addressIndex: 9 })
  return account
}

/** Far above what anvil ever asks, so that a transaction signed once stays valid after any reorganisation. */
export const FEES = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n } as const
