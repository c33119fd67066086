import { openSession, type VerifiedSession } from '../../src/verify/index.ts'
import type { Backend } from '../backend/index.ts'
import { sandbox } from '../backend/sandbox.ts'
import { hex } from './bytes.ts'
import { worldOf } from './evidence-world.ts'
import { startFakeNode, type FakeNode } from './fake-node.ts'
import { Recording } from './recording.ts'

/** A chain with the real registry, and beside it a gateway that has the objects of `store.world`. */
export interface RealChain {
  readonly backend: Backend
  readonly store: FakeNode
  /** Opens a session with the product's reader. */
  open(name: Buffer | string, groupKey: Uint8Array): Promise<VerifiedSession>
  close(): Promise<void>
}

/** A busy machine's reader is not held to be stuck, ms. */
export const READ_TIMEOUT_MS = 240_000

export async function startRealChain(): Promise<RealChain> {
  const box = await sandbox()
  const backend = await box.start()
  const store = await startFakeNode(worldOf(new Recording('nobody')))
  const { rpcUrl, registry } = backend.endpoints
  return {
    backend,
    store,
    open: (name, groupKey) =>
      openSession({
        chain: { rpcUrl, registry },
        gateway: store.gateway,
        name: typeof name === 'string' ? name : hex(name),
        groupKey,
        timeoutMs: READ_TIMEOUT_MS,
      }),
    async close() {
      store.close()
      await box.clear()
    },
  }
}
