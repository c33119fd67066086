import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startBackend } from './backend/index.ts'
import { buildDemo, developDemo, serveDemo } from './demo-site.ts'
import { repositoryRoot } from './backend/repository-root.ts'

const HELP = `Starts Holdfast's local backend (IPFS store, chain, relay) and the demo.

  npm start -- [options]

  --port N           where the demo is served (default 8740)
  --backend-port N   IPFS store, gateway, relay and chain proxy (default 8741)
  --chain-port N     the chain itself (default 8742)
  --data DIR         where everything is kept (default .holdfast)
  --fresh            forget what was kept and start over
  --dev              serve the demo from its sources and reload on changes
  --help             this text`

const OPTIONS = {
  port: { type: 'string', default: '8740' },
  'backend-port': { type: 'string', default: '8741' },
  'chain-port': { type: 'string', default: '8742' },
  data: { type: 'string', default: join(repositoryRoot(), '.holdfast') },
  fresh: { type: 'boolean', default: false },
  dev: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

function portOf(name: string, value: string): number {
  const port = Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Error(`--${name} takes a port from 0 (any free one) to 65535, not "${value}".`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS })
  if (values.help) return console.log(HELP)
  const port = portOf('port', values.port)
  const dataDir = resolve(values.data)
  const backend = await startBackend({
    dataDir,
    port: portOf('backend-port', values['backend-port']),
    chainPort: portOf('chain-port', values['chain-port']),
    fresh: values.fresh,
    log: (line) => console.error(line),
  })
  const { endpoints } = backend
  const folder = join(dataDir, 'demo')
  const opened = values.dev
    ? developDemo(endpoints, port)
    : buildDemo(folder).then(() => serveDemo({ endpoints, folder, port }))
  const site = await opened.catch(async (error: unknown) => {
    await backend.stop()
    throw error
  })

  console.log(`\n  Holdfast is ready: open ${site.url}\n`)
  console.log(`  What the backend holds: ${backend.url}    Stop with Ctrl-C; it goes on where it was.\n`)

  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    Promise.all([site.close(), backend.stop()]).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

main().catch((error: unknown) => {
  console.error(`\n  ${error instanceof Error ? error.message : String(error)}`)
  console.error('  All options: npm start -- --help\n')
  process.exitCode = 1
})
