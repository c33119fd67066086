import { request, type ClientRequest } from 'node:http'
import type { Backend } from './index.ts'

export const MODERN = 'cid-version=1&raw-leaves=true&chunker=size-1048576&max-file-links=1024'

export interface Added {
  readonly Name: string
  readonly Hash: string
  readonly Size: string
}

/**
 * Upload a file as a page does.
 *
 * @param signal aborts as the page leaves
 */
export async function addFile(
  backend: Backend,
  bytes: Uint8Array<ArrayBuffer>,
  query = MODERN,
  name = 'blob',
  signal: AbortSignal | null = null,
): Promise<Response> {
  const form = new FormData()
  form.append('file', new Blob([bytes]), name)
  return fetch(`${backend.endpoints.ipfs}/api/v0/add?${query}`, { method: 'POST', body: form, signal })
}

/** Upload a file, and its content address. */
export async function added(
  backend: Backend,
  bytes: Uint8Array<ArrayBuffer>,
  query = MODERN,
): Promise<string> {
  const response = await addFile(backend, bytes, query)
  if (!response.ok) throw new Error(`add: ${response.status} ${await response.text()}`)
  return ((await response.json()) as Added).Hash
}

/** Whether the store says that it keeps this content. */
export async function isPinned(backend: Backend, cid: string): Promise<boolean> {
  const url = `${backend.endpoints.ipfs}/api/v0/pin/ls?arg=${cid}&type=recursive`
  const response = await fetch(url, { method: 'POST' })
  return response.ok && cid in ((await response.json()) as { Keys: Record<string, unknown> }).Keys
}

/** Begin an upload of which only the first bytes are sent. */
export function beginAdd(backend: Backend, bytes: Uint8Array, declaredBytes: number): ClientRequest {
  const boundary = 'cut-off-boundary'
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="blob"\r\n\r\n`
  const upload = request(`${backend.endpoints.ipfs}/api/v0/add?${MODERN}`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length':
        Buffer.byteLength(head) + declaredBytes + Buffer.byteLength(`\r\n--${boundary}--\r\n`),
    },
  })
  upload.on('error', () => undefined)
  upload.write(head)
  upload.write(bytes)
  return upload
}
