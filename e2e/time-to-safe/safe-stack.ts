import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newGroup } from '../../src/group.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import { awaitAtMost } from '../await-at-most.ts'
import { startBackend, type Backend } from '../backend/index.ts'
import { openLink } from '../backend/link.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser } from '../driver/real-browser.ts'
import type { Plan, Said } from './safe-plan.ts'
import { openSafeSite } from './safe-site.ts'
import type { ChunkTimes } from './timeline.ts'
import { timesOf, watchHeads } from './heads-witness.ts'

export interface LinkShape {
  readonly mbit: number
  readonly roundTripMs: number
}

/** A recording that is over. */
export interface Recorded {
  readonly name: SessionName
  readonly picture: string
  /** Opens it. */
  readonly groupKey: Uint8Array<ArrayBuffer>
  readonly chunks: readonly ChunkTimes[]
  /** When its device was destroyed, or the page said that all is confirmed: ms since the epoch. */
  readonly endedAtMs: number
}

/** Store, chain and relay on this machine; each recording has a browser and a link of its own. */
export interface SafeStack {
  readonly backend: Backend
  /**
   * Records in a Chromium without a debugger whose every request to store, chain and relay goes through one link.
   *
   * @param destroyAfterMs kills the browser and removes its profile so long after the recording began
   */
  run(record: Plan['record'], link: LinkShape, destroyAfterMs?: number): Promise<Recorded>
  close(): Promise<void>
}

/** For what never comes. */
const LAST_NET_MS = 1_800_000
/** After the last chunk of a backlog, whose fresh ones are listed and anchored by then. */
const LISTED_BY_THEN_MS = 25_000
/** Fast enough that nothing waits for the link. */
const UNSHAPED_BYTES_PER_SEC = 1e9
const BLOCK_SEC = 2

export const bytesPerSec = ({ mbit }: LinkShape) => (mbit * 1e6) / 8

export async function openSafeStack(): Promise<SafeStack> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-safe-'))
  const backend = await startBackend({
    dataDir: join(folder, 'data'),
    artifactDir: join(repositoryRoot(), 'dist', 'e2e', 'artifacts'),
    port: 0,
    chainPort: 0,
    blockTimeSec: BLOCK_SEC,
    keepAlive: true,
    savesChain: false,
  })
  const site = await openSafeSite()
  const executable = findChromium(() => undefined)

  return {
    backend,
    async run(record, shape, destroyAfterMs) {
      const profile = await mkdtemp(join(folder, 'profile-'))
      const { publicKey, privateKey } = await newGroup()
      const since = backend.ledger.all().length
      const link = await openLink({
        port: Number(new URL(backend.url).port),
        bytesPerSec: record.from === 'camera' ? bytesPerSec(shape) : UNSHAPED_BYTES_PER_SEC,
        roundTripMs: shape.roundTripMs,
      })
      const near = (url: string) => url.replace(backend.url, `http://127.0.0.1:${link.port}`)
      const { ipfs, rpcUrl, registry, relayUrl } = backend.endpoints
      const settings = { ipfs: near(ipfs), rpcUrl: near(rpcUrl), registry, relayUrl: near(relayUrl) }

      site.forget()
      const began = deferred<Extract<Said, { type: 'began' }>>()
      const over = deferred<void>()
      site.onSaid = (said) => {
        if (said.type === 'began') began.resolve(said)
        else if (said.type === 'confirmed') over.resolve()
        // Its bytes are not waited for.
        else if (said.type === 'over' && record.from === 'backlog')
          setTimeout(over.resolve, LISTED_BY_THEN_MS)
        else if (said.type === 'shape') link.shape(bytesPerSec(shape))
        else if (said.type === 'broken') {
          const error = new Error(`The page broke: ${said.error}`)
          began.reject(error)
          over.reject(error)
        }
      }
      over.promise.catch(() => undefined)
      const url = site.url({ publicKey, record }, settings)
      const browser = await launchBrowser({ executable, profile, debuggable: false, url })
      try {
        const { name, picture } = await awaitAtMost(LAST_NET_MS, 'the recording to begin', began.promise)
        const heads = watchHeads(backend, name as SessionName)
        let endedAtMs: number
        if (destroyAfterMs === undefined) {
          await awaitAtMost(LAST_NET_MS, 'the recording to be confirmed', over.promise)
          endedAtMs = Date.now()
        } else {
          await Promise.race([over.promise, new Promise((resolve) => setTimeout(resolve, destroyAfterMs))])
          endedAtMs = Date.now()
          await browser.kill()
          await rm(profile, { recursive: true, force: true, maxRetries: 5 })
          // Of what had reached the relay by then.
          await new Promise((resolve) => setTimeout(resolve, 2_000 * BLOCK_SEC))
        }
        heads.stop()
        const ledger = backend.ledger.all().slice(since)
        const chunks = await timesOf(backend, name as SessionName, site.said, heads.seen, ledger)
        return { name: name as SessionName, picture, groupKey: privateKey, chunks, endedAtMs }
      } finally {
        await browser.kill()
        await link.close()
        await rm(profile, { recursive: true, force: true, maxRetries: 5 })
      }
    },
    async close() {
      await site.close()
      await backend.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
