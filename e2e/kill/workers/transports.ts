import { ipfs as kubo } from '../../../sw/index.ts'
import { presignedPut, type Granted } from '../../../sw/adapters/transports/put.ts'
import { tus as tusUploads } from '../../../sw/adapters/transports/tus.ts'
import { endpoints, freshToken, TIMEOUT_MS as timeoutMs } from './endpoints.ts'

export const ipfs = () => kubo({ endpoint: endpoints.ipfs, timeoutMs })

/** Its parts are small, so that a chunk of a short recording goes up in several. */
export const tus = () => tusUploads({ endpoint: endpoints.tus, partBytes: 16_384, timeoutMs })

/** Each grant is asked of the app's own server, with a token of its own. */
export const put = () =>
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
  })
