import { expect } from '@playwright/test'
import { decodeSessions, encodeSessionsCall, type RegistryRecord } from '../src/evidence/registry.ts'
import { parseManifest } from '../src/evidence/manifest-parse.ts'
import type { Manifest } from '../src/evidence/manifest.ts'
import type { SessionId } from '../src/protocol/ids.ts'
import type { Backend } from './backend/index.ts'
import { STORES } from './stores.ts'

// Promise 4 of docs/guarantees.md.

/** What the chain and the store say of a session, past everything that runs in the browser. */
export async function witnessed(backend: Backend, id: string): Promise<RegistryRecord | undefined> {
  const call = { to: backend.chain.registry, data: encodeSessionsCall(id as SessionId) }
  return decodeSessions(String(await backend.chain.rpc('eth_call', [call, 'latest'])))
}

/** Reads a published manifest from the gateway. */
export async function publishedManifest(backend: Backend, cid: string): Promise<Manifest> {
  const response = await fetch(`${backend.endpoints.gateway}/ipfs/${cid}`)
  expect(response.status).toBe(200)
  return parseManifest(new Uint8Array(await response.arrayBuffer()))
}

/** Waits until the chain holds a final manifest of the session that lists at least `chunks` chunks. */
export async function anchored(
  backend: Backend,
  id: string,
  ending: Manifest['status'],
  chunks: number,
): Promise<Manifest> {
  let manifest: Manifest | undefined
  await expect
    .poll(
      async () => {
        const record = await witnessed(backend, id)
        if (record === undefined) return 'nothing on the chain'
        manifest = await publishedManifest(backend, record.manifestCid)
        return manifest.chunks.length >= chunks ? manifest.status : `${manifest.chunks.length} chunks`
      },
      { intervals: [100] },
    )
    .toBe(ending)
  if (manifest === undefined) throw new Error('unreachable')
  return manifest
}

/** Each address of the manifest's chunks was stored by exactly one request, and no request changed anything twice. */
export function expectNothingTwice(backend: Backend, manifest: Manifest, sinceEntry: number): void {
  const changes = backend.ledger.all().filter(({ changed }) => changed)
  for (const { cid, index } of manifest.chunks) {
    const sends = changes.filter(({ key, service, method }) => key === cid && isSend(service, method))
    expect(sends, `chunk ${index}`).toHaveLength(1)
  }
  expect(backend.ledger.duplicates().filter(({ id }) => id > sinceEntry)).toEqual([])
}

const isSend = (service: string, method: string) =>
  Object.values(STORES).some((store) => store.service === service && store.method === method)
