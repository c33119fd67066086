import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { contentAddress } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { adaptiveConcurrency, INITIAL_CONCURRENCY, type ObserveUpload } from '../../sw/core/concurrency.ts'
import { ipfs } from '../../sw/adapters/transports/ipfs.ts'
import { pinata } from '../../sw/adapters/transports/pinata.ts'
import type { Attempt, Transport, Upload } from '../../sw/ports/transport.ts'
import { presignedPut, type Granted } from '../../sw/adapters/transports/put.ts'
import { tus } from '../../sw/adapters/transports/tus.ts'
import { startBackend, type Endpoints } from '../backend/index.ts'
import { openLink } from '../backend/link.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { noise } from '../backend/bytes.ts'

const HELP = `Measures how much of a slow link each transport uses, in Node and without the engine.

  node dist/e2e/bench/goodput.js [options] [ipfs tus tus-plain put pinata]

  --mbit N     bandwidth of the link, Mbit/s (default 20)
  --rtt N      its round trip, ms (default 100)
  --chunks N   how many chunks of 3 MiB (default 60)
  --lanes N    how many at a time (default: as the engine does, by what the link bears)`

const CHUNK_BYTES = 3 * 1024 * 1024

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      mbit: { type: 'string', default: '20' },
      rtt: { type: 'string', default: '100' },
      chunks: { type: 'string', default: '60' },
      lanes: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const { mbit, rtt, chunks } = numbers(values)
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-goodput-'))
  const artifactDir = join(repositoryRoot(), 'dist', 'e2e', 'artifacts')
  const backend = await startBackend({
    dataDir,
    artifactDir,
    port: 0,
    chainPort: 0,
    blockTimeSec: 60,
    keepAlive: true,
  })
  const link = await openLink({
    port: Number(new URL(backend.url).port),
    bytesPerSec: (mbit * 1e6) / 8,
    roundTripMs: rtt,
  })
  try {
    const near = (url: string) => url.replace(backend.url, `http://127.0.0.1:${link.port}`)
    const transports = await transportsTo(backend.endpoints, near)
    const wanted = positionals.length > 0 ? positionals : Object.keys(transports)
    console.log(
      `${chunks} chunks of 3 MiB, ${values.lanes ?? 'adapting'} lanes; link ${mbit} Mbit/s, round trip ${rtt} ms`,
    )
    console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; commit ${commit()}`)
    console.log(`Load of the machine before: ${loadavg()[0]?.toFixed(1)} (the shaped link needs some of it)`)
    for (const name of wanted) {
      const transport = transports[name]
      if (transport === undefined) throw new Error(`There is no transport "${name}".`)
      const before = link.upBytes
      const fixed = values.lanes === undefined ? undefined : positive('lanes', values.lanes)
      const { tookMs, lanes } = await measure(transport, chunks, fixed)
      const capacity = ((mbit * 1e6) / 8) * (tookMs / 1000)
      const ofLink = (bytes: number) => `${((bytes / capacity) * 100).toFixed(1)} %`
      const content = chunks * CHUNK_BYTES
      const sent = link.upBytes - before
      console.log(
        `${name}: ${ofLink(content)} of the link in ${(tookMs / 1000).toFixed(1)} s; ` +
          `${ofLink(sent - content)} went to the protocol, ${ofLink(capacity - sent)} stood idle; ` +
          `${lanes} lanes at the end`,
      )
    }
  } finally {
    await link.close()
    await backend.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Each of them through the link, also where it asks the app for a grant. */
async function transportsTo(
  endpoints: Endpoints,
  near: (url: string) => string,
): Promise<Readonly<Record<string, Transport>>> {
  const answer = await fetch(`${endpoints.put}/token`, { method: 'POST' })
  const { token } = (await answer.json()) as { token: string }
  const headers = { authorization: `Bearer ${token}` }
  const base = near(endpoints.pinata)
  return {
    ipfs: ipfs({ endpoint: near(endpoints.ipfs) }),
    tus: tus({ endpoint: near(endpoints.tus) }),
    'tus-plain': tus({ endpoint: near(endpoints.tusPlain) }),
    put: presignedPut({
      async grant(request) {
        const url = `${near(endpoints.put)}/grant`
        const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request) })
        return (await response.json()) as Granted
      },
    }),
    pinata: pinata({
      authorize: async () => headers,
      uploads: base,
      api: base,
      gateway: near(endpoints.gateway),
    }),
  }
}

/** From the first request to the last proof, ms; with lanes as the engine takes them, or a fixed number. */
async function measure(
  transport: Transport,
  chunks: number,
  fixed?: number,
): Promise<{ tookMs: number; lanes: number }> {
  const waiting: { upload: Upload; bytes: Uint8Array<ArrayBuffer> }[] = []
  for (let index = 0; index < chunks; index += 1) {
    // New at each run: what a store has already it is not sent again.
    const bytes = noise(crypto.randomUUID(), CHUNK_BYTES)
    const upload = {
      cid: await contentAddress(bytes),
      sha256: await sha256Hex(bytes),
      sizeBytes: CHUNK_BYTES,
    }
    waiting.push({ upload, bytes })
  }
  const began = performance.now()
  const learn: ObserveUpload = fixed === undefined ? adaptiveConcurrency() : () => fixed
  let lanes = fixed ?? INITIAL_CONCURRENCY
  const active = new Set<Promise<void>>()
  while (waiting.length + active.size > 0) {
    const free = Math.min(lanes - active.size, waiting.length)
    const inUse = active.size + Math.max(free, 0)
    for (const { upload, bytes } of waiting.splice(0, Math.max(free, 0))) {
      const begunMs = performance.now()
      const carried = carry(transport, upload, bytes).then(() => {
        active.delete(carried)
        lanes = learn(inUse, upload.sizeBytes, performance.now() - begunMs, false)
      })
      active.add(carried)
    }
    await Promise.race(active)
  }
  return { tookMs: performance.now() - began, lanes }
}

async function carry(transport: Transport, upload: Upload, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const attempt = anAttempt()
  if ((await transport.send(upload, bytes, { kind: 'nothing' }, attempt)) === 'sent')
    await transport.verify?.(upload, attempt)
}

const numbers = ({ mbit, rtt, chunks }: Readonly<Record<'mbit' | 'rtt' | 'chunks', string>>) => ({
  mbit: positive('mbit', mbit),
  rtt: positive('rtt', rtt),
  chunks: positive('chunks', chunks),
})

function positive(option: string, text: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new Error(`--${option} takes a number above 0, not "${text}".`)
}

function anAttempt(): Attempt {
  let kept = ''
  return {
    signal: new AbortController().signal,
    get resumeToken() {
      return kept
    },
    saveResumeToken: async (resumeToken) => {
      kept = resumeToken
    },
    progress: () => {},
  }
}

const commit = () =>
  execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: repositoryRoot(), encoding: 'utf8' }).trim()

await main()
