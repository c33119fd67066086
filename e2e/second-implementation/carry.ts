import { createPublicClient, createWalletClient, http, type Hex } from 'viem'
import { foundry } from 'viem/chains'
import { expect } from 'vitest'
import { chainAccount } from '../backend/chain-accounts.ts'
import { registryAbi, type Backend } from '../backend/index.ts'
import { halves, prefixedHex } from './bytes.ts'
import type { Witnessed } from './evidence-world.ts'
import { tagOf, type Recording, type SignedHead } from './recording.ts'

const account = chainAccount(0)

/** Sends these heads of what the second writer has recorded, all into one block of a real chain. */
export async function carry(
  backend: Backend,
  recording: Recording,
  ...heads: readonly SignedHead[]
): Promise<Witnessed[]> {
  const client = createPublicClient({ chain: foundry, transport: http(backend.endpoints.rpcUrl) })
  const wallet = createWalletClient({ account, chain: foundry, transport: http(backend.endpoints.rpcUrl) })
  const hashes: Hex[] = []
  for (const { publicKey, signature, ...head } of heads) {
    const args = [
      {
        name: prefixedHex(head.name),
        size: BigInt(head.size),
        root: prefixedHex(head.root),
        page: prefixedHex(head.page),
        previous: prefixedHex(head.previous),
        groups: prefixedHex(head.groups),
        end: head.end,
      },
      halves(publicKey),
      halves(signature),
      recording.groups.map((one) => ({
        id: prefixedHex(one.id),
        tag: prefixedHex(tagOf(one, recording.keys.name)),
      })),
    ] as const
    const { registry } = backend.endpoints
    hashes.push(
      await wallet.writeContract({
        address: registry,
        abi: registryAbi,
        functionName: 'anchor',
        args,
        gas: 3_000_000n,
      }),
    )
  }
  await backend.chain.mine()
  const receipts = await Promise.all(hashes.map((hash) => client.getTransactionReceipt({ hash })))
  expect(receipts.map(({ status }) => status)).toEqual(heads.map(() => 'success'))
  return Promise.all(
    receipts.map(async ({ blockNumber }, at) => {
      const { timestamp } = await client.getBlock({ blockNumber })
      return { head: heads[at]!, block: Number(blockNumber), timeMs: 1_000 * Number(timestamp) }
    }),
  )
}
