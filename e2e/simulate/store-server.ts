import { contentAddress } from '../../src/evidence/cid.ts'
import { isPage } from '../../sw/testing/is-page.ts'
import { PROOF_LASTS_MS } from '../../sw/core/retry-policy.ts'
import type { RemoteState, Transport, Upload } from '../../sw/ports/transport.ts'
import { TOLD_LATE_MS } from './chain.ts'
import { isSetBack } from './liveness.ts'
import { request, type Caller } from './simulated-request.ts'
import type { Scene } from './simulated-scene.ts'

const STORED: RemoteState = { kind: 'all', proved: true }
const MISSING: RemoteState = { kind: 'nothing' }

/** A content-addressed store, which can forget and lie, and which remembers what was asked of it. */
export interface StoreServer {
  /**
   * Whether a worker may build on its having this object now: it has it, or has lied of it, or has forgotten it and
   * said otherwise so lately that nobody had to ask again.
   */
  stands(cid: string): boolean
  /** Whether it has this object, or its absence is the store's own doing, however long ago. */
  hadIt(cid: string): boolean
  /** Whether it has never had the object, and said that it had. */
  liedOf(cid: string): boolean
  /** What was ever sent under this address. */
  bytesOf(cid: string): Uint8Array<ArrayBuffer> | undefined
  forget(): void
  transportOf(caller: Caller): Transport
}

/** Each question and each small object takes about this long on its way, ms. */
const TAKES_MS = 40

/** @param onLeaving hears of each object that leaves without a question before */
export function storeServer(scene: Scene, onLeaving: (upload: Upload) => void): StoreServer {
  const objects = new Set<string>()
  const forgotten = new Set<string>()
  const lied = new Set<string>()
  const sent = new Map<string, Uint8Array<ArrayBuffer>>()
  /** When it last told that it has an object, ms since the epoch. */
  const provedMs = new Map<string, number>()
  /** Objects that a worker heard to be missing since they were last sent. */
  const missing = new Set<string>()
  /** Objects that this worker has asked for. */
  const asked = new WeakMap<Caller, Set<string>>()

  const leaves = (cid: string, bytes: Uint8Array<ArrayBuffer>) => {
    // The page that was in flight when its session was adopted is made, and sent, once more.
    const excused = scene.thefts > 0 || (scene.moves > 0 && isPage(bytes))
    if (sent.has(cid) && !missing.delete(cid) && !excused)
      scene.fail(`${cid} was sent again without asking for it before`)
    sent.set(cid, bytes)
  }

  const hangs = () => scene.faults.lasts('store-hangs')

  /** A proof lasts, by the device's clock; one that is set back makes it look younger. */
  const lasts = (cid: string) =>
    isSetBack(scene.history) ||
    scene.clock.now() - (provedMs.get(cid) ?? -Infinity) <= PROOF_LASTS_MS + TOLD_LATE_MS

  return {
    stands: (cid) => objects.has(cid) || lied.has(cid) || (forgotten.has(cid) && lasts(cid)),
    hadIt: (cid) => objects.has(cid) || lied.has(cid) || forgotten.has(cid),
    liedOf: (cid) => lied.has(cid) && !sent.has(cid),
    bytesOf: (cid) => sent.get(cid),
    forget() {
      const all = [...objects]
      const cid = all[Math.floor(scene.random() * all.length)]
      if (cid === undefined) return
      objects.delete(cid)
      forgotten.add(cid)
      scene.trace(() => `the store forgets ${cid}`)
    },
    transportOf: (caller) => ({
      name: 'store',
      async probe({ cid }, { signal }) {
        const exchange = { what: `probe ${cid}`, signal, takesMs: TAKES_MS, hangs: hangs() }
        const answer = await request(scene, caller, exchange, (lies) => {
          const told = objects.has(cid) !== lies
          if (told) provedMs.set(cid, scene.clock.now())
          if (lies) lied.add(cid)
          return told ? STORED : MISSING
        })
        if (answer.kind === 'nothing') missing.add(cid)
        asked.set(caller, (asked.get(caller) ?? new Set()).add(cid))
        return answer
      },
      async send(upload, bytes, _held, { signal }) {
        const { cid, sizeBytes } = upload
        if ((await contentAddress(bytes)) !== cid || bytes.byteLength !== sizeBytes)
          scene.fail(`other bytes were sent than ${cid}`)
        const exchange = {
          what: `send ${cid}`,
          signal,
          takesMs: TAKES_MS,
          hangs: hangs(),
          leaves() {
            if (asked.get(caller)?.has(cid) !== true) onLeaving(upload)
            leaves(cid, bytes)
          },
        }
        await request(scene, caller, exchange, (lies) => {
          if (lies) lied.add(cid)
          else objects.add(cid)
          provedMs.set(cid, scene.clock.now())
        })
        return 'proved'
      },
      verify: async ({ cid }) => scene.fail(`${cid} was proved, and is asked for once more`),
    }),
  }
}
