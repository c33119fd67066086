import { evm, install, ipfs } from '../../sw/index.ts'
import { sealInWorker } from '../../sw/seal.ts'
import type { WorkerSettings } from './safe-plan.ts'

const { ipfs: endpoint, ...chain } = JSON.parse(
  new URL(location.href).searchParams.get('settings') ?? '{}',
) as WorkerSettings

// All else as it is for an app that says nothing of it.
install({ transport: ipfs({ endpoint }), anchor: evm(chain), sealer: sealInWorker })
