import { openDB } from 'idb'
import { semaphore } from '../../src/semaphore.ts'
import { answerPage } from './answer-page.ts'
import type { BareRequest } from './protocol.ts'

// What a worker costs that promises nothing: the least that any could do for the same bytes and the same proof.

declare const self: ServiceWorkerGlobalScope & {
  readonly registration: { readonly sync: { register(tag: string): Promise<void> } }
}
/** Of Background Sync, which the DOM's types do not have. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string
}

const LANES = 4
const lane = semaphore(LANES)

const opened = openDB('bare', 1, { upgrade: (db) => void db.createObjectStore('payloads') })

self.addEventListener('sync' as never, (event: SyncEvent) => event.waitUntil(sendFirst()))
answerPage(perform)

async function perform(request: BareRequest): Promise<unknown> {
  switch (request.do) {
    case 'take':
      return Promise.all([request.payload.arrayBuffer().then(sha256Base64), put(request.id, request.payload)])
    case 'put':
      return put(request.id, request.payload)
    case 'send':
      return send(request.id)
    case 'drain':
      return drain(request.by === 'put' ? uploadByPut : uploadByTus)
    case 'wake':
      return self.registration.sync.register('bare')
    case 'clear':
      return (await opened).clear('payloads')
  }
}

async function put(id: string, payload: Blob): Promise<void> {
  const tx = (await opened).transaction('payloads', 'readwrite', { durability: 'strict' })
  await tx.store.put(payload, id)
  await tx.done
}

async function send(id: string): Promise<void> {
  const release = await lane()
  try {
    await uploadByPut(id, await stored(id))
  } finally {
    release()
  }
}

const stored = async (id: string) => (await (await opened).get('payloads', id)) as Blob

/** The least that a wake can do: opens the database, reads one record, and sends it. */
async function sendFirst(): Promise<void> {
  const cursor = await (await opened).transaction('payloads').store.openCursor()
  if (cursor) await uploadByPut(String(cursor.key), cursor.value as Blob, `?at=${performance.now()}`)
}

/** One lane takes the next that no other has taken. */
async function drain(upload: (id: string, payload: Blob) => Promise<void>): Promise<void> {
  const db = await opened
  const waiting = (await db.getAllKeys('payloads')) as string[]
  const oneAfterTheOther = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await upload(id, await stored(id))
  }
  await Promise.all(Array.from({ length: LANES }, oneAfterTheOther))
}

/** The name has the digest in it: whoever stored it has hashed it. */
const digestOf = (id: string) => id.slice(id.indexOf(' ') + 1)

async function uploadByPut(id: string, payload: Blob, query = ''): Promise<void> {
  const url = `/put/${encodeURIComponent(id)}${query}`
  const answer = await fetch(url, { method: 'PUT', body: payload, cache: 'no-store' })
  await answer.text()
  if (answer.headers.get('x-amz-checksum-sha256') !== digestOf(id))
    throw new Error(`${id} arrived otherwise.`)
}

async function uploadByTus(id: string, payload: Blob): Promise<void> {
  const headers = { 'Tus-Resumable': '1.0.0' }
  const created = await fetch('/tus', {
    method: 'POST',
    headers: { ...headers, 'Upload-Length': String(payload.size) },
  })
  const url = created.headers.get('location') ?? ''
  const patched = await fetch(url, {
    method: 'PATCH',
    headers: { ...headers, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
    body: payload,
  })
  if (patched.headers.get('upload-offset') !== String(payload.size)) throw new Error(`${id} was not taken.`)
  const answer = await fetch(url, { cache: 'no-store' })
  if ((await sha256Base64(await answer.arrayBuffer())) !== digestOf(id))
    throw new Error(`${id} arrived otherwise.`)
}

async function sha256Base64(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return btoa(String.fromCharCode(...digest))
}
