import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { TRANSPORT_CONTRACT } from '../../sw/contracts/transport.contract.ts'
import { startBackend, type Backend } from '../backend/index.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../browser/find-chromium.ts'
import { launchBrowser, type RealBrowser } from '../browser/real-browser.ts'
import { bundle } from '../page/bundle.ts'
import { serve } from '../page/serve.ts'
import { variantHarness } from './variant-harness.ts'
import { newToken, type VariantName } from './variants.ts'
import { workerBench, type WorkerBench } from './worker-bench.ts'

// Promise 4 of docs/guarantees.md.

/** The cases of success, of resumption and of death; `CONTRACT=whole` takes all of them. */
const IN_BROWSER = [
  'proves a copy that readers then find, and tells its progress',
  'carries an object of a few bytes, such as a manifest',
  'finds its copy in another life, and sends nothing',
  'goes on after a connection was reset inside the body',
  'survives an answer that was lost, and sends nothing twice',
  'goes on where it was when its worker died inside the body',
  'goes on when its worker died while the store held its request, before the effect',
  'goes on when its worker died while the store held its request, after the effect',
]
const BY_DEATH = IN_BROWSER.slice(-3)
const VARIANTS: readonly VariantName[] = [
  'ipfs',
  'tus',
  'tus-plain',
  'put',
  'put-mute',
  'pinata',
  'pinata-legacy',
  'pinata-signed',
]
const MIB = 1024 * 1024

interface WorkerFixtures {
  readonly backend: Backend
  readonly bench: WorkerBench
  readonly token: string
}

const test = base.extend<object, WorkerFixtures>({
  backend: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from its parameter
    async ({}, use, { parallelIndex }) => {
      const backend = await startBackend({
        dataDir: join(repositoryRoot(), '.holdfast', 'e2e', `transports-${parallelIndex}`),
        artifactDir: join(repositoryRoot(), '.holdfast', 'artifacts'),
        port: 0,
        chainPort: 0,
        fresh: true,
        blockTimeSec: 60,
      })
      await use(backend)
      await backend.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  token: [({ backend }, use) => newToken(backend.endpoints).then(use), { scope: 'worker' }],
  bench: [
    async ({ backend: _after }, use, { parallelIndex }) => {
      const folder = join(repositoryRoot(), 'e2e', 'transports')
      const [page, worker] = await Promise.all(
        ['page.ts', 'worker.ts'].map((file) => bundle(join(folder, file))),
      )
      const files = new Map<string, string | Uint8Array>([
        ['/page.js', page ?? ''],
        ['/sw.js', worker ?? ''],
      ])
      const served = await serve(files)
      const data = join(repositoryRoot(), '.holdfast', 'e2e', `transports-${parallelIndex}`)
      const profile = await mkdtemp(join(data, 'profile-'))
      const browsers: RealBrowser[] = []
      const bench = await workerBench({
        url: served.url,
        files,
        async launch() {
          const browser = await launchBrowser({ executable: findChromium(), profile })
          browsers.push(browser)
          return browser
        },
      })
      await use(bench)
      await Promise.all(browsers.map((browser) => browser.kill()))
      await served.close()
      await rm(profile, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})

// One browser for all: its start costs more than most cases.
test.describe.configure({ mode: 'default' })
test.afterEach(({ backend }) => backend.faults.clear())

function runs(
  variant: VariantName,
  titles: readonly string[],
  death: 'worker' | 'browser',
  partBytes?: number,
) {
  for (const title of titles) {
    const run = TRANSPORT_CONTRACT.find((one) => one.title === title)?.run
    if (run === undefined) throw new Error(`The contract has no case "${title}".`)
    test(title, async ({ backend, bench, token }) => {
      await run(
        variantHarness(backend, variant, token, {
          ...(partBytes !== undefined && { partBytes }),
          make: bench.transport,
          kill: () => bench.kill(death),
        }),
      )
    })
  }
}

const titles = process.env['CONTRACT'] === 'whole' ? TRANSPORT_CONTRACT.map(({ title }) => title) : IN_BROWSER

for (const variant of VARIANTS)
  test.describe(`${variant} in Chromium’s service worker`, () => runs(variant, titles, 'worker'))

test.describe('tus with parts of 4 MiB, in Chromium’s service worker', () =>
  runs('tus', BY_DEATH.slice(1, 2), 'worker', 4 * MIB))

for (const variant of ['ipfs', 'tus', 'put', 'pinata'] as const)
  test.describe(`${variant}, and the browser is killed`, () => runs(variant, BY_DEATH.slice(-1), 'browser'))
