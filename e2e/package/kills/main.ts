import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../../backend/repository-root.ts'
import { STORES } from './app.ts'
import { killUploads } from './kills.ts'
import { KINDS } from './victim.ts'

const HELP = `npx tsc -b && node dist/e2e/package/kills/main.js [--store ipfs|tus|put] [--kills 100] [--uploads 5] [--rate 200000] [--within 2500] [--kind tab|worker|browser] [--seed 1]

Uploads files by an app of the packed library, without a chain, and kills its tab, worker and browser at random times.
Without --store: over each of the three. With a lower --rate, bytes per second that the server reads, there is time for more kills; each comes within so many ms of a pick. Exits with 1 where anything was lost or doubled.`

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    kills: { type: 'string', default: '100' },
    uploads: { type: 'string', default: '5' },
    within: { type: 'string', default: '2500' },
    kind: { type: 'string' },
    rate: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else
  for (const store of STORES.filter((name) => name === (values.store ?? name))) {
    const kinds = KINDS.filter((kind) => kind === values.kind)
    const options = {
      store,
      kills: Number(values.kills),
      uploads: Number(values.uploads),
      bytesPerSec: Number(values.rate),
      seed: Number(values.seed),
      withinMs: Number(values.within),
      ...(kinds.length > 0 && { kinds }),
      folder: join(repositoryRoot(), '.holdfast', `kills-${store}`),
    }
    const outcome = await killUploads({ ...options, log: (line) => console.log(`${store}: ${line}`) })
    console.log(`${store}: ${JSON.stringify(outcome)}`)
    if (outcome.lost.length + outcome.doubled.length > 0) process.exitCode = 1
  }
