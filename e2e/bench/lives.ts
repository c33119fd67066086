import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser, type RealBrowser } from '../driver/real-browser.ts'
import { memoryOf } from '../package/kills/process-memory.ts'
import { CHUNK_BYTES, STARTS, type LifeName, type Measured, type Plan } from './comparison.ts'
import type { LifeSite } from './life-site.ts'
import { median } from './median.ts'
import type { Side, Task } from './protocol.ts'

const MIB = 1024 * 1024
const TINY_BYTES = 1_024
/** Chunks that wait where a wake is measured with few. */
const FEW = 10
/** Not measured: the browser reads the log of the filling then, which a start of every day does not find. */
const SETTLING_STARTS = 5
/** Of "recovery". */
const PENDING = 50
/** Uploads under way at once, at the most (`sw/core/concurrency.ts`), each of one part; and what is left for all else. */
const MEMORY_LIMIT = 5 * CHUNK_BYTES + 48 * MIB
const SAMPLE_MS = 100
/** Of each session of "scale-sessions". */
const SESSION_CHUNKS = 200

/** Measures what takes several starts of a browser, or a look at its processes from outside: one round after the other. */
export async function* measureLives(
  names: readonly LifeName[],
  { rounds, queued, drainedMib, scaled }: Plan,
  site: LifeSite,
  folder: string,
): AsyncGenerator<Measured> {
  const wanted = (...some: readonly LifeName[]) => some.some((name) => names.includes(name))
  if (wanted('wake', 'wake-queued')) {
    const ours = await Device.queued(site, folder, 'ours', FEW, TINY_BYTES)
    const bare = await Device.queued(site, folder, 'bare', FEW, TINY_BYTES)
    const long = wanted('wake-queued')
      ? await Device.queued(site, folder, 'ours', queued, TINY_BYTES)
      : undefined
    for (let round = 0; round < rounds; round++) {
      const [few, least, many] = await wakesOf(ours, bare, ...(long ? [long] : []))
      if (wanted('wake')) yield { name: 'wake', ours: few!, bare: least! }
      if (many) yield { name: 'wake-queued', ours: many, bare: few! }
    }
  }
  if (wanted('recovery')) {
    const ours = await Device.queued(site, folder, 'ours', PENDING, CHUNK_BYTES)
    const bare = await Device.queued(site, folder, 'bare', PENDING, CHUNK_BYTES)
    for (let round = 0; round < rounds; round++)
      yield {
        name: 'recovery',
        ours: (await ours.wake()).fromBrowserMs,
        bare: (await bare.wake()).fromBrowserMs,
      }
  }
  if (wanted('memory')) {
    const device = await Device.made(site, folder)
    yield {
      name: 'memory',
      ours: (await device.mostOfDrain(Math.round((drainedMib * MIB) / CHUNK_BYTES))) / MIB,
      bare: MEMORY_LIMIT / MIB,
    }
  }
  const streams = [
    ['scale', 1, scaled],
    ['scale-sessions', Math.max(1, Math.round(scaled / 2 / SESSION_CHUNKS)), SESSION_CHUNKS],
  ] as const
  for (const [name, sessions, chunks] of streams) {
    if (!wanted(name, `${name}-memory`)) continue
    const thousands = await (await Device.made(site, folder)).stream(sessions, chunks)
    const [first, last] = [thousands[0], thousands.at(-1)]
    if (!first || !last) continue
    if (wanted(name)) yield { name, ours: last.ms / 1_000, bare: first.ms / 1_000 }
    if (wanted(`${name}-memory`))
      yield { name: `${name}-memory`, ours: last.bytes / MIB, bare: first.bytes / MIB }
  }
}

/** The median time of several starts of each worker, by turns. */
async function wakesOf(...devices: readonly Device[]): Promise<number[]> {
  const wakes: number[][] = devices.map(() => [])
  for (let start = 0; start < STARTS; start++)
    for (const [at, device] of devices.entries()) wakes[at]!.push((await device.wake()).fromWorkerMs)
  return wakes.map(median)
}

/** A browser's profile, which outlives the browsers that are started on it. */
class Device {
  readonly #site: LifeSite
  readonly #profile: string
  /**
   * Its databases, to be put back before each start: of the profiles that are killed this early again and again, one
   * in some hundreds of times loses them (`docs/decisions/0047-*`), and nothing waits any more.
   */
  readonly #kept: string
  #isKept = false

  private constructor(site: LifeSite, profile: string) {
    this.#site = site
    this.#profile = profile
    this.#kept = `${profile}-kept`
  }

  static async made(site: LifeSite, folder: string): Promise<Device> {
    return new Device(site, await mkdtemp(join(folder, 'profile-')))
  }

  /** One on which chunks wait, whose uploads the server has not answered, and whose browser was killed. */
  static async queued(site: LifeSite, folder: string, side: Side, chunks: number, sizeBytes: number) {
    const device = await Device.made(site, folder)
    site.hold(true)
    const browser = await device.#start({ do: 'queue', side, chunks, sizeBytes })
    await site.mark('queued')
    await site.firstUpload()
    await browser.kill()
    for (let start = 0; start < SETTLING_STARTS; start++) await device.wake()
    await cp(await device.#databases(), device.#kept, { recursive: true })
    device.#isKept = true
    return device
  }

  /** Where Chromium keeps the databases of the site, but for the payloads, which are files of their own. */
  async #databases(): Promise<string> {
    const folder = join(this.#profile, 'Default', 'IndexedDB')
    const name = (await readdir(folder)).find((each) => each.endsWith('.leveldb'))
    if (name === undefined) throw new Error('Chromium has deleted the databases of this profile.')
    return join(folder, name)
  }

  #start(task?: Task): Promise<RealBrowser> {
    return launchBrowser({
      executable: findChromium(),
      profile: this.#profile,
      debuggable: false,
      ...(task && { url: this.#site.url(task) }),
    })
  }

  /** Starts the browser with no page of ours; the first upload is held, and the browser killed again. */
  async wake(): Promise<{ fromBrowserMs: number; fromWorkerMs: number }> {
    if (this.#isKept) {
      const databases = await this.#databases()
      await rm(databases, { recursive: true })
      await cp(this.#kept, databases, { recursive: true })
    }
    this.#site.hold(true)
    const startedMs = performance.now()
    const browser = await this.#start()
    const first = await this.#site.firstUpload()
    await browser.kill()
    return { fromBrowserMs: first.atMs - startedMs, fromWorkerMs: first.workerMs }
  }

  /** @returns what the browser's processes take at the most over what they took before, bytes */
  async mostOfDrain(chunks: number): Promise<number> {
    this.#site.hold(false)
    const filling = await this.#start({ do: 'fill', chunks, sizeBytes: CHUNK_BYTES })
    await this.#site.mark('queued')
    await filling.close()
    const draining = await this.#start({ do: 'drain', chunks })
    const ready = await this.#site.mark('ready')
    const { all: before } = await memoryOf(draining.pid)
    let most = before
    const over = new AbortController()
    const sampled = (async () => {
      while (!over.signal.aborted) {
        most = Math.max(most, (await memoryOf(draining.pid)).all)
        await new Promise((go) => setTimeout(go, SAMPLE_MS))
      }
    })()
    ready.answer()
    await this.#site.mark('drained')
    over.abort()
    await sampled
    await draining.kill()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 })
    return most - before
  }

  /** @returns of each thousand chunks, from hand-off to confirmed: how long, and what all processes take after it */
  async stream(sessions: number, chunks: number): Promise<{ ms: number; bytes: number }[]> {
    this.#site.hold(false)
    const browser = await this.#start({ do: 'stream', sessions, chunks, sizeBytes: TINY_BYTES })
    const thousands: { ms: number; bytes: number }[] = []
    let beganMs = performance.now()
    for (let left = sessions * chunks; left >= 1_000; left -= 1_000) {
      const mark = await this.#site.mark('thousand')
      const { all } = await memoryOf(browser.pid)
      thousands.push({ ms: mark.atMs - beganMs, bytes: all })
      beganMs = performance.now()
      mark.answer()
    }
    await browser.kill()
    return thousands
  }
}
