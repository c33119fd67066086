import { evm, install } from '../../sw/index.ts'
import { sealInWorker } from '../../sw/seal.ts'
import { endpoints } from '../kill/workers/endpoints.ts'
import { ipfs, put, tus } from '../kill/workers/transports.ts'
import type { SettledEndpoints } from './settled-scene.ts'

// A worker whose app hears of what has settled; its store, and whether there is a chain, are put in as it is served.

const { app, store, chain } = endpoints as SettledEndpoints
const transports = { ipfs, tus, put }

install({
  transport: transports[store](),
  ...(chain && { anchor: evm(endpoints) }),
  sealer: sealInWorker,
  async onSettled({ key, signal }) {
    const answer = await fetch(`${app}/settled?key=${key}`, { method: 'POST', signal })
    if (!answer.ok) throw new Error(`The app's server answered ${answer.status}`)
    void fetch(`${app}/heard`, { method: 'POST' }).catch(() => undefined)
  },
})
