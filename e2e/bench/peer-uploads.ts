import { openDB } from 'idb'
import { Upload } from 'tus-js-client'

const LANES = 4

/** tus-js-client in a page: uploads what it takes from the page's own database, four at a time, and checks nothing. */
export async function peerUploads(payloads: readonly Blob[]): Promise<{ drain(): Promise<void> }> {
  const db = await openDB('peer', 1, { upgrade: (opened) => void opened.createObjectStore('payloads') })
  await db.clear('payloads')
  for (const [index, payload] of payloads.entries()) await db.put('payloads', payload, index)
  return {
    async drain() {
      const waiting = (await db.getAllKeys('payloads')) as number[]
      const lane = async () => {
        for (let index = waiting.shift(); index !== undefined; index = waiting.shift())
          await upload((await db.get('payloads', index)) as Blob)
      }
      await Promise.all(Array.from({ length: LANES }, lane))
      await db.clear('payloads')
      db.close()
    },
  }
}

const upload = (payload: Blob) =>
  new Promise<void>((resolve, reject) => {
    new Upload(payload, {
      endpoint: new URL('/tus', location.href).href,
      storeFingerprintForResuming: false,
      retryDelays: [],
      onSuccess: () => resolve(),
      onError: reject,
    }).start()
  })
