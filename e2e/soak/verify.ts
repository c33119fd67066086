import type { Backend } from '../backend/index.ts'
import type { DemoTab } from '../in-page/demo-tab.ts'
import { witnessed } from '../backend-oracle.ts'
import { readBack } from '../read-back.ts'
import type { DeviceState } from './soaked-device.ts'

/** What became of the chunks that were acknowledged. */
export interface Verdict {
  readonly sessions: number
  readonly acknowledged: number
  /** On neither the chain nor the device. */
  readonly lost: readonly string[]
  /** Anchored, but not the bytes that the recorder gave. */
  readonly corrupted: readonly string[]
  /** Still on the device when the time was up, or anchored while the device does not know. */
  readonly unconfirmed: readonly string[]
}

/** Holds every chunk that was acknowledged to these pages against what a reader gets. */
export async function verify(
  backend: Backend,
  recordings: readonly DemoTab[],
  device: DeviceState,
): Promise<Verdict> {
  const lost: string[] = []
  const corrupted: string[] = []
  const unconfirmed: string[] = []
  let sessions = 0
  let acknowledged = 0
  const confirmed = new Set(device.confirmed)
  const kept = new Set(device.payloads)

  for (const { acknowledgements, slices, groupKey } of recordings) {
    const ids = [...new Set(acknowledgements)]
    const [first] = ids
    if (first === undefined) continue
    sessions += 1
    acknowledged += ids.length
    const read = await readChunks(backend, first.slice(0, first.lastIndexOf('/')), groupKey)
    for (const id of ids) {
      const index = Number(id.slice(id.lastIndexOf('/') + 1))
      const plaintext = read.chunks.get(index)
      if (read.failure !== undefined && !kept.has(id)) corrupted.push(`${id}: ${read.failure}`)
      else if (plaintext === undefined && !kept.has(id)) lost.push(id)
      else if (plaintext === undefined || kept.has(id) || !confirmed.has(id)) unconfirmed.push(id)
      // A recorder's copy that died on its way to us leaves the reader's own checks, which have passed.
      else if (slices[index]?.equals(plaintext) === false) corrupted.push(id)
    }
  }
  return { sessions, acknowledged, lost, corrupted, unconfirmed }
}

/** Chunks by index; `failure` where something anchored could not be verified. */
interface Reading {
  readonly chunks: ReadonlyMap<number, Uint8Array>
  readonly failure?: string
}

async function readChunks(backend: Backend, sessionId: string, groupKey: Uint8Array): Promise<Reading> {
  try {
    const head = await witnessed(backend, sessionId)
    if (head === undefined) return { chunks: new Map() }
    const { session, proved, bad } = await readBack(backend, head.name, groupKey)
    const chunks = new Map(proved.map(({ index, plaintext }) => [index, plaintext]))
    // A chunk that is listed and not at its store yet is no wrong one.
    const wrong = bad.find(({ verdict }) => verdict !== 'chunk-missing')?.error ?? session.lostPages[0]
    return { chunks, ...(wrong && { failure: wrong.message }) }
  } catch (error) {
    return { chunks: new Map(), failure: error instanceof Error ? error.message : String(error) }
  }
}

/** Requests that sent, or stored, what was there already. */
export function duplicated(backend: Backend): number {
  const stored = new Map<string, number>()
  for (const { service, key, changed } of backend.ledger.all()) {
    if (service === 'ipfs' && changed && key !== undefined) stored.set(key, (stored.get(key) ?? 0) + 1)
  }
  const storedTwice = [...stored.values()].filter((times) => times > 1).length
  return backend.ledger.duplicates().length + storedTwice
}
