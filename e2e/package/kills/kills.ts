import { join } from 'node:path'
import { sleep } from '../../soak/unless-late.ts'
import { seeded } from '../../soak/seeded-random.ts'
import { STORES as CONTENT } from '../../stores.ts'
import { builtApp, type AppFile, type StoreName, type Told } from './app.ts'
import { broughtTo } from './brought.ts'
import { openEvidence } from './evidence.ts'
import { judge, type Judgement } from './judge.ts'
import { openPlace } from './place.ts'
import { KINDS, newVictim, SETTLES_WITHIN_MS, type Kind, type Victim } from './victim.ts'

export interface KillOptions {
  readonly store: StoreName
  readonly uploads: number
  /** Over all of them. */
  readonly kills: number
  /** How fast the server reads, so that a kill finds parts in every state. Default 200,000. */
  readonly bytesPerSec?: number
  readonly seed: number
  /** The longest time from a pick to the kill, ms. Default 2,500. */
  readonly withinMs?: number
  /** Which, by chance; default: all three. */
  readonly kinds?: readonly Kind[]
  /** The first browser that is killed dies in the middle of a write to its databases. */
  readonly tears?: boolean
  /** Emptied first; what happened is kept here. */
  readonly folder: string
  readonly log: (line: string) => void
}

/** What came of it. */
export interface Outcome extends Judgement {
  readonly kills: Readonly<Record<string, number>>
  readonly parts: number
  /** Times that Chromium threw all of the site's databases away, in words, as docs/guarantees.md tells. */
  readonly wiped: readonly string[]
  /** In words, which killed browsers left their databases' log broken, and whether the last one did. */
  readonly torn: { readonly ever: readonly string[]; readonly last: readonly string[] }
}

const PART_BYTES = 128 * 1024
const PARTS = 160
const SIZE_BYTES = PART_BYTES * PARTS - 4

/**
 * Uploads files by an app that has nothing but the packed library, and kills its tab, its worker or its browser at random
 * times until all kills are used; then a person picks what is unfinished again. The judge is what the store has: whether
 * a reader gets every byte, and whether anything was brought twice or for nothing.
 */
export async function killUploads(options: KillOptions): Promise<Outcome> {
  const { store, uploads, bytesPerSec: slow = 200_000, seed, tears = false, folder, log } = options
  let bytesPerSec = slow
  const place = await openPlace(folder, store, () => bytesPerSec)
  const { backend, bucket } = place
  const site = await builtApp(join(folder, 'app'), store, place.server, { tusPartBytes: 65_536 })
  if (store !== 'put') backend.faults.add({ ...CONTENT[store], kind: 'slow', bytesPerSec })
  const profile = join(folder, 'profile')
  const evidence = await openEvidence(join(folder, 'evidence'), profile)
  const victim = newVictim({ profile, url: site.url, evidence, tears, log })
  const files = Array.from({ length: uploads }, (_none, at) => ({
    label: `upload-${at}`,
    sizeBytes: SIZE_BYTES,
    seed: seed * 100 + at + 1,
    partBytes: PART_BYTES,
    group: place.publicKey,
  }))
  /** There is something that the device can forget. */
  const untilStored = async () => {
    while (broughtTo(store, place).size === 0) await sleep(50)
  }
  try {
    const kills = await killAtRandom(victim, files, options, tears ? untilStored : undefined)
    backend.faults.clear()
    bytesPerSec = Infinity
    await settleAll(victim, files, log)
    const told = await victim.told()
    await evidence.keep('custody', await victim.logs())
    const wiped = evidence.wiped()
    return {
      ...(await judge(place, store, files, told, wiped)),
      kills,
      parts: uploads * PARTS,
      wiped: wiped.map(({ words }) => words),
      torn: evidence.torn(),
    }
  } finally {
    await evidence.keep('made', store === 'put' ? bucket.made : backend.ledger.all())
    await victim.close()
    await site.close()
    await place.close()
  }
}

/**
 * Picks each file, and kills what is at it some time later, until the file's share of all kills is used or it is settled.
 *
 * @param beforeKill what each kill waits for besides
 * @returns the kills by kind
 */
async function killAtRandom(
  victim: Victim,
  files: readonly AppFile[],
  { kills, seed, withinMs = 2_500, kinds = KINDS, log }: KillOptions,
  beforeKill?: () => Promise<void>,
): Promise<Readonly<Record<string, number>>> {
  const random = seeded(seed)
  const counted: Record<string, number> = {}
  const upTo = (at: number) => Math.floor((kills * at) / files.length)
  for (const [at, file] of files.entries()) {
    for (let kill = 0; kill < upTo(at + 1) - upTo(at); kill++) {
      if (isSettled(await victim.told(), file)) {
        log(`${file.label} was settled after ${kill} kills`)
        break
      }
      await victim.pick(file)
      await sleep(random.between(50, withinMs))
      await beforeKill?.()
      const kind = random.pick(kinds)
      await victim.kill(kind)
      counted[kind] = (counted[kind] ?? 0) + 1
    }
    log(`${file.label}: ${JSON.stringify(counted)} kills so far`)
  }
  return counted
}

/** A person picks again what is not whole, and waits. */
async function settleAll(victim: Victim, files: readonly AppFile[], log: (line: string) => void) {
  const until = Date.now() + SETTLES_WITHIN_MS
  for (const file of files) {
    if (!isSettled(await victim.told(), file)) await victim.pick(file)
    for (;;) {
      const all = await victim.told()
      // Picked just before it was whole it goes up again.
      if (isSettled(all, file) && !(await victim.isUnderWay(file))) break
      if (Date.now() > until) return log(`Not settled: ${JSON.stringify(all)}`)
      await sleep(500)
    }
  }
}

function isSettled(all: readonly Told[], file: AppFile): boolean {
  const of = all.filter(({ label }) => label === file.label)
  return of.length > 0 && of.every(({ ending, upload }) => ending === 'complete' && upload === 'confirmed')
}
