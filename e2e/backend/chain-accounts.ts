import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts'

/**
 * Keys of anvil's own accounts, known to everybody: what `test test … junk` gives. To derive one takes a tenth of a
 * second, in each file of tests.
 */
const KEYS = {
  0: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  1: '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  9: '0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6',
} as const

/** An account that has means on the chain. */
export const chainAccount = (index: keyof typeof KEYS): PrivateKeyAccount => privateKeyToAccount(KEYS[index])

/** The account that pays and signs for the relay: the last of ten, as tools and tests reach for the first. */
export const relayAccount = (): PrivateKeyAccount => chainAccount(9)

/** Far above what anvil ever asks, so that a transaction signed once stays valid after any reorganisation. */
export const FEES = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n } as const
