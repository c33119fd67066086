import { evm, install } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { presignedPut, type Granted } from '../../../sw/adapters/transports/put.ts'
import { endpoints, freshToken, TIMEOUT_MS } from './endpoints.ts'

install({
  transport: presignedPut({
    timeoutMs: TIMEOUT_MS,
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
  anchor: evm(endpoints),
  sealer: sealInWorker,
})
