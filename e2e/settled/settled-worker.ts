import { evm, install, ipfs } from '../../sw/index.ts'
import { sealInWorker } from '../../sw/seal.ts'
import { presignedPut, type Granted } from '../../sw/adapters/transports/put.ts'
import { tus } from '../../sw/adapters/transports/tus.ts'
import { endpoints, freshToken, TIMEOUT_MS } from '../kill/workers/endpoints.ts'
import type { SettledEndpoints } from './scene.ts'

// A worker whose app hears of what has settled; its store, and whether there is a chain, are put in as it is served.

const { app, store, chain } = endpoints as SettledEndpoints
const timeoutMs = TIMEOUT_MS

const transports = {
  ipfs: () => ipfs({ endpoint: endpoints.ipfs, timeoutMs }),
  tus: () => tus({ endpoint: endpoints.tus, partBytes: 16_384, timeoutMs }),
  put: () =>
    presignedPut({
      timeoutMs,
      async grant(request) {
        const response = await fetch(`${endpoints.put}/grant`, {
          method: 'POST',
          headers: { authorization: `Bearer ${await freshToken()}`, 'content-type': 'application/json' },
          body: JSON.stringify(request),
        })
        if (!response.ok) throw new Error(`The app's server answered ${response.status}`)
        return (await response.json()) as Granted
      },
    }),
}

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
