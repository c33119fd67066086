import { readFile } from 'node:fs/promises'
import { getContractAddress, type Hex } from 'viem'
import { writeAtomically } from './atomic-file.ts'
import { BackendError } from './backend-error.ts'
import type { ChainNode } from './chain.ts'
import type { DataDir } from './data-dir.ts'
import { FEES, relayAccount } from './chain-accounts.ts'
import type { RegistryArtifact } from './registry-artifact.ts'
import { asHex } from './rpc.ts'

/**
 * Address of the registry on this chain: the remembered one if its code is still there, else a new one.
 *
 * A chain that lost its state gets the same address again, as it follows from the account and its first nonce.
 */
export async function deployedRegistry(
  chain: ChainNode,
  artifact: RegistryArtifact,
  dir: DataDir,
): Promise<`0x${string}`> {
  const remembered = await readDeployment(dir.registry)
  if (remembered?.sourceHash === artifact.sourceHash && (await hasCode(chain, remembered.address))) {
    return remembered.address
  }
  const account = relayAccount()
  const nonce = Number(await chain.rpc('eth_getTransactionCount', [account.address, 'latest']))
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId: chain.chainId,
    nonce,
    gas: 5_000_000n,
    data: artifact.bytecode,
    ...FEES,
  })
  await chain.rpc('eth_sendRawTransaction', [raw])
  await chain.mine()
  const address = getContractAddress({ from: account.address, nonce: BigInt(nonce) })
  if (!(await hasCode(chain, address))) {
    throw new BackendError('registry-broken', `The registry was not deployed at ${address}`)
  }
  await chain.save()
  await writeAtomically(dir.registry, JSON.stringify({ address, sourceHash: artifact.sourceHash }))
  return address
}

async function hasCode(chain: ChainNode, address: Hex): Promise<boolean> {
  return asHex(await chain.rpc('eth_getCode', [address, 'latest'])) !== '0x'
}

interface Deployment {
  readonly address: Hex
  readonly sourceHash: string
}

async function readDeployment(path: string): Promise<Deployment | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Deployment
  } catch {
    return undefined
  }
}
