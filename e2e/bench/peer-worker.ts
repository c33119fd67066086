import { Queue } from 'workbox-background-sync/Queue.js'
import { answerPage } from './answer-page.ts'
import type { BareRequest } from './protocol.ts'

// workbox's queue of requests, which keeps a body until it is sent: it is asked to take one, and to send none.

const queue = new Queue('peer', { onSync: async () => undefined })

answerPage(perform)

async function perform(request: BareRequest): Promise<void> {
  switch (request.do) {
    case 'take': {
      const url = `/put/${encodeURIComponent(request.id)}`
      return queue.pushRequest({ request: new Request(url, { method: 'PUT', body: request.payload }) })
    }
    case 'clear':
      while (await queue.shiftRequest());
      return
    default:
      throw new Error(`It cannot ${request.do}.`)
  }
}
