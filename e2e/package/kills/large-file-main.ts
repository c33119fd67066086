import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../../backend/repository-root.ts'
import { STORES } from './app.ts'
import { uploadLargeFile } from './large-file.ts'

const HELP = `npx tsc -b && node dist/e2e/package/kills/large-file-main.js [--store ipfs|tus|put] [--mib 200] [--part BYTES]

Uploads a file by an app of the packed library, in a browser without a debugger, and tells what page and worker take at
the most over what they took before. Without --store: over each of the three. Linux only.`

const MIB = 1024 * 1024

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    mib: { type: 'string', default: '200' },
    part: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else
  for (const store of STORES.filter((name) => name === (values.store ?? name))) {
    const folder = join(repositoryRoot(), '.holdfast', `large-${store}`)
    const sizeMiB = Number(values.mib)
    const { start, peak, handedOverMs, doneMs, bytesAreSame } = await uploadLargeFile({
      store,
      sizeMiB,
      partBytes: values.part === undefined ? undefined : Number(values.part),
      folder,
      log: console.log,
    })
    const over = (part: 'renderers' | 'all') => Math.round((peak[part] - start[part]) / MIB)
    console.log(
      `${store}: ${sizeMiB} MiB, page and worker ${over('renderers')} MiB over the start, with the browser ${over('all')} MiB; ` +
        `handed over in ${Math.round(handedOverMs / 1000)} s, done in ${Math.round(doneMs / 1000)} s; ` +
        `the reader's bytes are the same: ${bytesAreSame}`,
    )
    if (!bytesAreSame) process.exitCode = 1
  }
