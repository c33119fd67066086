import { contentAddress } from '../../src/evidence/cid.ts'
import type { RemoteState, Transport } from '../../sw/ports/transport.ts'
import { request, type Caller } from './request.ts'
import type { Scene } from './scene.ts'

const STORED: RemoteState = { kind: 'all', proved: true }
const MISSING: RemoteState = { kind: 'nothing' }

/** A content-addressed store, which can forget and lie, and which remembers what was asked of it. */
export interface StoreServer {
  readonly objects: ReadonlySet<string>
  /** Objects whose absence, or second copy, is the store's own doing. */
  readonly excused: ReadonlySet<string>
  /** What was ever sent under this address. */
  bytesOf(cid: string): Uint8Array<ArrayBuffer> | undefined
  forget(): void
  transportOf(caller: Caller): Transport
}

/** Each question and each small object takes about this long on its way, ms. */
const TAKES_MS = 40

/** @param onLeaving hears of each object that leaves without a question before */
export function storeServer(scene: Scene, onLeaving: (cid: string) => void): StoreServer {
  const objects = new Set<string>()
  const excused = new Set<string>()
  const sent = new Map<string, Uint8Array<ArrayBuffer>>()
  /** Objects that a worker heard to be missing since they were last sent. */
  const missing = new Set<string>()
  /** Objects that this worker has asked for. */
  const asked = new WeakMap<Caller, Set<string>>()

  const leaves = (cid: string, bytes: Uint8Array<ArrayBuffer>) => {
    if (sent.has(cid) && !missing.delete(cid) && scene.thefts === 0)
      scene.fail(`${cid} was sent again without asking for it before`)
    sent.set(cid, bytes)
  }

  return {
    objects,
    excused,
    bytesOf: (cid) => sent.get(cid),
    forget() {
      const all = [...objects]
      const cid = all[Math.floor(scene.random() * all.length)]
      if (cid === undefined) return
      objects.delete(cid)
      excused.add(cid)
      scene.trace(() => `the store forgets ${cid}`)
    },
    transportOf: (caller) => ({
      name: 'store',
      async probe({ cid }, { signal }) {
        const exchange = { what: `probe ${cid}`, signal, takesMs: TAKES_MS }
        const answer = await request(scene, caller, exchange, (lies) => {
          if (lies) excused.add(cid)
          return objects.has(cid) === lies ? MISSING : STORED
        })
        if (answer.kind === 'nothing') missing.add(cid)
        asked.set(caller, (asked.get(caller) ?? new Set()).add(cid))
        return answer
      },
      async send({ cid, sizeBytes }, bytes, _held, { signal }) {
        if ((await contentAddress(bytes)) !== cid || bytes.byteLength !== sizeBytes)
          scene.fail(`other bytes were sent than ${cid}`)
        const exchange = {
          what: `send ${cid}`,
          signal,
          takesMs: TAKES_MS,
          leaves() {
            if (asked.get(caller)?.has(cid) !== true) onLeaving(cid)
            leaves(cid, bytes)
          },
        }
        await request(scene, caller, exchange, (lies) => {
          if (lies) excused.add(cid)
          else objects.add(cid)
        })
        return 'proved'
      },
      verify: async ({ cid }) => scene.fail(`${cid} was proved, and is asked for once more`),
    }),
  }
}
