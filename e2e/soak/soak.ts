import { deviceState, type DeviceState } from './soaked-device.ts'
import { KILLS, KILL_KINDS, type KillKind } from './kills.ts'
import type { SoakOptions } from './options.ts'
import { unlessLate, sleep } from './unless-late.ts'
import { randomFault } from './random-fault.ts'
import { seeded, type Random } from './seeded-random.ts'
import { duplicated, verify } from './verify.ts'
import { openWorld, type World } from './soak-world.ts'

/** What a soak found; all of `lost`, `duplicated`, `corrupted`, `unconfirmed` should be 0. */
export interface Report {
  readonly kills: number
  readonly byKind: Readonly<Record<KillKind, number>>
  readonly sessions: number
  /** Chunks that a page was told are kept. */
  readonly acknowledged: number
  readonly lost: number
  readonly duplicated: number
  readonly corrupted: number
  readonly unconfirmed: number
  readonly seconds: number
  readonly seed: number
}

/** After this many kills everything is let through and verified. */
const KILLS_A_ROUND = 25
/** How long a round's backlog may take once nothing is in its way, ms. */
const SETTLE_MS = 240_000
/** Tabs that record at once. */
const MAX_TABS = 3

/** Kills, verifies, and tells what became of it. */
export async function soak(options: SoakOptions, tell: (line: string) => void): Promise<Report> {
  const began = Date.now()
  const untilMs = began + options.minutes * 60_000
  const random = seeded(options.seed)
  const byKind = Object.fromEntries(KILL_KINDS.map((kind) => [kind, 0])) as Record<KillKind, number>
  const counts = { sessions: 0, acknowledged: 0, lost: 0, corrupted: 0, unconfirmed: 0 }
  let kills = 0
  const seconds = () => Math.round((Date.now() - began) / 1000)

  const world = await openWorld(options.seed)
  try {
    while (kills < options.kills && Date.now() < untilMs) {
      const goal = Math.min(options.kills, kills + KILLS_A_ROUND)
      while (kills < goal && Date.now() < untilMs) {
        for (const kind of await turn(world, random, goal - kills)) {
          byKind[kind] += 1
          kills += 1
          tell(`${seconds()} s  kill ${kills}: ${kind}`)
        }
      }
      const device = await letThrough(world, tell)
      const verdict = await verify(world.backend, world.recordings, device)
      counts.sessions += verdict.sessions
      counts.acknowledged += verdict.acknowledged
      for (const what of ['lost', 'corrupted', 'unconfirmed'] as const) {
        counts[what] += verdict[what].length
        for (const chunk of verdict[what]) tell(`  ${what.toUpperCase()}: ${chunk}`)
      }
      const twice = duplicated(world.backend)
      tell(
        `${seconds()} s  verified ${verdict.acknowledged} chunks of ${verdict.sessions} sessions; ${twice} twice`,
      )
      world.forget()
    }
    for (const entry of world.backend.ledger.duplicates()) tell(`  TWICE: ${JSON.stringify(entry)}`)
    return {
      kills,
      byKind,
      ...counts,
      duplicated: duplicated(world.backend),
      seconds: seconds(),
      seed: options.seed,
    }
  } finally {
    await world.end()
  }
}

/** Somebody records, something goes wrong, one or two things are killed and come back. */
async function turn(world: World, random: Random, most: number): Promise<KillKind[]> {
  const { backend, tabs } = world
  if (tabs.size === 0 || (tabs.size < MAX_TABS && random.chance(0.4))) {
    const timesliceMs = random.between(200, 700)
    await world.record({ timesliceMs, seal: random.chance(0.25) ? 'worker' : 'page' })
  }
  if (tabs.size > 0 && random.chance(0.25)) {
    const { page } = random.pick([...tabs])
    await unlessLate(page.getByTestId('stop-button').click({ timeout: 2_000 }), 2_000)
  }
  const faults = random.chance(0.6) ? [backend.faults.add(randomFault(random))] : []
  if (random.chance(0.2)) faults.push(backend.faults.add(randomFault(random)))
  await sleep(random.between(50, 2_000))

  const first = random.pick(KILL_KINDS)
  const others = KILL_KINDS.filter((kind) => kind !== first)
  const kinds = most > 1 && random.chance(0.2) ? [first, random.pick(others)] : [first]
  const struck = await Promise.all(
    kinds.map(async (kind) => ({ kind, undo: await KILLS[kind](world, random) })),
  )
  await sleep(random.between(0, 2_000))
  for (const fault of faults) if (random.chance(0.5)) fault.remove()
  for (const { undo } of struck) await undo?.()
  return struck.filter(({ undo }) => undo !== undefined).map(({ kind }) => kind)
}

/** Nothing is in the way any more and somebody opens the app: waits until the engine has nothing left to do. */
async function letThrough(world: World, tell: (line: string) => void): Promise<DeviceState> {
  const { backend, url } = world
  backend.faults.clear()
  await backend.unpause()
  await backend.chain.start()
  await world.killBrowser()
  const { context } = await world.browser()
  const page = await context.newPage()
  await page.goto(url)

  const untilMs = Date.now() + SETTLE_MS
  let state: DeviceState | undefined
  while (Date.now() < untilMs) {
    state = (await unlessLate(deviceState(page), 5_000)) ?? state
    if (state?.open.length === 0) break
    await sleep(500)
  }
  await page.close()
  for (const { id, trouble } of state?.open ?? []) tell(`  STILL OPEN: ${id}: ${trouble}`)
  return state ?? { open: [], payloads: [], confirmed: [] }
}
