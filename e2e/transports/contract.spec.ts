import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { TRANSPORT_CONTRACT } from '../../sw/contracts/transport.contract.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser, type RealBrowser } from '../driver/real-browser.ts'
import { builtScript } from '../built-scripts.ts'
import { test as base } from '../fixtures.ts'
import { LANDING, tagOf } from '../test-size.ts'
import { serve } from '../in-page/serve.ts'
import { variantHarness } from './variant-harness.ts'
import { newToken, type VariantName } from './variants.ts'
import { workerBench, type WorkerBench } from './worker-bench.ts'

// Promise 4 of docs/guarantees.md.

/** The cases of success, of resumption and of death. */
const CASES = [
  'proves a copy that readers then find, and tells its progress',
  'carries an object of a few bytes, such as a page of a log',
  'finds its copy in another life, and sends nothing',
  'goes on after a connection was reset inside the body',
  'survives an answer that was lost, and sends nothing twice',
  'goes on where it was when its worker died inside the body',
  'goes on when its worker died while the store held its request, before the effect',
  'goes on when its worker died while the store held its request, after the effect',
]
const BY_DEATH = CASES.slice(-3)
const VARIANTS: readonly VariantName[] = [
  'ipfs',
  'tus',
  'tus-plain',
  'resumable',
  'resumable-mute',
  'put',
  'put-mute',
  'pinata',
  'pinata-legacy',
  'pinata-signed',
]
/** One of each transport's: what the others have of their own is what their server says, and how they are asked for a sign-in. */
const IN_FULL: ReadonlySet<VariantName> = new Set(['ipfs', 'tus', 'resumable', 'put', 'pinata'])
/**
 * What `npm test` has of each transport: all of these cases of a store that keeps half an upload; of the others success,
 * and the deaths that leave the most to find out.
 */
const SAMPLED: Readonly<Partial<Record<VariantName, readonly string[]>>> = {
  tus: CASES,
  put: [
    CASES[0] ?? '',
    ...BY_DEATH.slice(0, 1),
    'sends nothing on to where it was already (307), and tells of that',
  ],
  ipfs: [CASES[0] ?? '', ...BY_DEATH.slice(-1)],
  resumable: [CASES[0] ?? '', ...BY_DEATH.slice(0, 1)],
  pinata: [CASES[0] ?? '', ...BY_DEATH.slice(-1)],
}
/** What `.ci/run` has besides: all of them of a store that keeps no half of an upload. */
const LANDED: typeof SAMPLED = { put: CASES }
const MIB = 1024 * 1024

type Death = 'worker' | 'browser'

interface BenchFixtures {
  readonly benchFor: (death: Death) => Promise<WorkerBench>
  readonly token: string
}

const benches = new Map<Death, Promise<WorkerBench>>()

const test = base.extend<BenchFixtures>({
  token: ({ workerBackend }, use) => newToken(workerBackend.endpoints).then(use),
  // For all tests of this process. A browser that is killed is one of their own; a worker dies in that of all tests.
  benchFor: ({ folder, workerBrowser, atEnd }, use) =>
    use((death) => {
      const bench = benches.get(death) ?? openBench(death === 'browser' ? folder : workerBrowser, atEnd)
      benches.set(death, bench)
      return bench
    }),
})

/** @param browser to run in, or the folder for the profile of one of its own */
async function openBench(
  browser: RealBrowser | string,
  atEnd: (close: () => Promise<unknown>) => void,
): Promise<WorkerBench> {
  const files = new Map<string, string | Uint8Array>([
    ['/page.js', await builtScript('transports/transport-page.ts')],
    ['/sw.js', await builtScript('transports/transport-worker.ts')],
  ])
  const served = await serve(files)
  atEnd(served.close)
  const launch = typeof browser === 'string' ? await launcher(browser, atEnd) : async () => browser
  return workerBench({ url: served.url, files, launch })
}

/** Starts a browser, on the same profile each time. */
async function launcher(folder: string, atEnd: (close: () => Promise<unknown>) => void) {
  const profile = await mkdtemp(join(folder, 'bench-'))
  return async () => {
    const launched = await launchBrowser({ executable: findChromium(), profile })
    atEnd(launched.kill)
    return launched
  }
}

interface Runs {
  readonly variant: VariantName
  readonly titles: readonly string[]
  readonly death?: Death
  readonly partBytes?: number
  /** Of these, the ones that `npm test` runs. */
  readonly inEveryRun?: readonly string[]
  /** Of these, the ones that `.ci/run` runs too. */
  readonly landed?: readonly string[]
  /** Of these, the ones that `npm test -- --all` runs too: all, unless it says so. */
  readonly inAll?: readonly string[]
}

function runs({
  variant,
  titles,
  death = 'worker',
  partBytes,
  inEveryRun = [],
  landed = [],
  inAll = titles,
}: Runs) {
  // In one process, and so in one page; other processes take other variants.
  test.describe.configure({ mode: 'default' })
  for (const title of titles) {
    const run = TRANSPORT_CONTRACT.find((one) => one.title === title)?.run
    if (run === undefined) throw new Error(`The contract has no case "${title}".`)
    test(
      title,
      {
        tag: tagOf(inEveryRun.includes(title) || (landed.includes(title) && LANDING), inAll.includes(title)),
      },
      async ({ backend, benchFor, token }) => {
        const bench = await benchFor(death)
        await run(
          variantHarness(backend, variant, token, {
            ...(partBytes !== undefined && { partBytes }),
            make: bench.transport,
            kill: () => bench.kill(death),
          }),
        )
      },
    )
  }
}

const titles = TRANSPORT_CONTRACT.map(({ title }) => title)

for (const variant of VARIANTS)
  test.describe(`${variant} in Chromium’s service worker`, () =>
    runs({
      variant,
      titles,
      inEveryRun: SAMPLED[variant] ?? [],
      landed: LANDED[variant] ?? [],
      // In Node each variant has every case: its transport's own test.
      inAll: IN_FULL.has(variant) ? titles : CASES,
    }))

test.describe('tus with parts of 4 MiB, in Chromium’s service worker', () =>
  runs({ variant: 'tus', titles: BY_DEATH.slice(1, 2), partBytes: 4 * MIB }))

for (const variant of VARIANTS.filter((name) => SAMPLED[name] !== undefined))
  test.describe(`${variant}, and the browser is killed`, () =>
    runs({ variant, titles: BY_DEATH.slice(-1), death: 'browser' }))
