import { execFileSync, fork } from 'node:child_process'
import { webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openSession, type OpenSessionOptions } from '../../src/verify/index.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser } from '../driver/real-browser.ts'
import type {
  FramePage,
  GatewayKind,
  PageMeasured,
  PageWanted,
  Served,
  ServerOptions,
} from './reading-server.ts'

const HELP = `Measures reading back, in Node, against gateways and a node in a process of their own. Prints JSON.

  node dist/e2e/bench/reading.js [options] [many browser frame frame-by-head seek race throughput memory]

  --chunks N   of many, browser, both frames and seek (default 10000)
  --rtt N      round trip of many, browser, both frames, seek and race, ms (default 100)
  --lists L    of many, browser and both frames: full, once more, or single pages (default: each of them)
  --rounds N   of both frames (default 3)
  --gib N      of memory (default 1)
  --mib N      of throughput (default 256)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    chunks: { type: 'string', default: '10000' },
    rtt: { type: 'string', default: '100' },
    lists: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    gib: { type: 'string', default: '1' },
    mib: { type: 'string', default: '256' },
    help: { type: 'boolean', default: false },
  },
})
const [chunks, roundTripMs, gib] = [Number(values.chunks), Number(values.rtt), Number(values.gib)]
const MIB = 1024 * 1024

async function served<Result>(
  changes: Partial<ServerOptions>,
  work: (served: Served, measured: <Measured>() => Promise<Measured>) => Promise<Result>,
): Promise<Result> {
  const options: ServerOptions = {
    chunks: 100,
    chunkBytes: 2_048,
    chunksPerPage: 1,
    pagesPerHead: 2,
    roundTripMs: 0,
    bytesPerSec: 0,
    logTimes: true,
    ...changes,
  }
  const server = fork(fileURLToPath(new URL('./reading-server.js', import.meta.url)), [
    JSON.stringify(options),
  ])
  try {
    const [told] = (await once(server, 'message')) as [Served]
    return await work(told, async <Measured>() => {
      const [found] = (await once(server, 'message')) as [Measured]
      return found
    })
  } finally {
    server.disconnect()
  }
}

const optionsFor = (
  { rpcUrl, registry, name, groupKey, gateways }: Served,
  kinds: readonly GatewayKind[],
): OpenSessionOptions => ({
  chain: { rpcUrl, registry },
  gateway: kinds.map((kind) => gateways[kind]),
  name,
  groupKey: Uint8Array.from(Buffer.from(groupKey, 'hex')),
})

/** Reads all of it. @returns ms of opening and of reading the chunks */
async function readAll(told: Served, kinds: readonly GatewayKind[]) {
  const began = performance.now()
  const session = await openSession(optionsFor(told, kinds))
  const openMs = performance.now() - began
  let bytes = 0
  for await (const chunk of session.chunks()) {
    if (chunk.verdict !== 'proved') throw new Error(`${chunk.index}: ${chunk.error.message}`)
    bytes += chunk.plaintext.length
  }
  if (bytes !== told.plaintextBytes) throw new Error(`${bytes} bytes of ${told.plaintextBytes}`)
  return { openMs: Math.round(openMs), readMs: Math.round(performance.now() - began - openMs) }
}

/** Chunks of a page, whether logs tell the times of their blocks, and whether full pages take the place of small ones. */
const MANY = (
  [
    [1, true, 'full'],
    [1, false, 'full'],
    [1, true, undefined],
    [1, true, 'once more'],
  ] as const
).filter(([, , lists]) => values.lists === undefined || values.lists === (lists ?? 'single'))

const AT_A_TIME = [
  ['as many as are asked', ['good']],
  ['6', ['six']],
  ['6 of each of two', ['six', 'other']],
] as const

/** Reads all of it in a page of its gateway's origin. */
async function inBrowser(told: Served, measured: <Of>() => Promise<Of>): Promise<PageMeasured> {
  const found = await inPage<PageMeasured>(told, measured)
  if (found.bytes !== told.plaintextBytes) throw new Error(JSON.stringify(found))
  return found
}

/** What a browser's recorder makes of half a second: it plays by itself. */
async function recordedSlice(): Promise<{ base64: string; mimeType: string }> {
  const profile = await mkdtemp(join(tmpdir(), 'holdfast-reading-'))
  const browser = await launchBrowser({ executable: findChromium(), profile })
  try {
    const page = await browser.context.newPage()
    return await page.evaluate(async () => {
      const canvas = document.createElement('canvas')
      const pen = canvas.getContext('2d')!
      const timer = setInterval(() => pen.fillRect(Math.random() * 200, 0, 20, 20), 50)
      const mimeType = 'video/webm;codecs=vp8'
      const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType })
      const made = new Promise<Blob>((resolve) =>
        recorder.addEventListener('dataavailable', ({ data }) => resolve(data)),
      )
      recorder.start()
      setTimeout(() => recorder.stop(), 500)
      const bytes = new Uint8Array(await (await made).arrayBuffer())
      clearInterval(timer)
      return { base64: btoa(String.fromCharCode(...bytes)), mimeType }
    })
  } finally {
    await browser.kill()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** What a page of its gateway's origin tells. */
async function inPage<Measured>(
  told: Served,
  measured: <Of>() => Promise<Of>,
  byHead = false,
): Promise<Measured> {
  const { name, groupKey, registry } = told
  const wanted: PageWanted = { name, groupKey, registry, byHead }
  const profile = await mkdtemp(join(tmpdir(), 'holdfast-reading-'))
  const browser = await launchBrowser({
    executable: findChromium(),
    profile,
    debuggable: false,
    url: `${told.gateways.good}/?wanted=${encodeURIComponent(JSON.stringify(wanted))}`,
  })
  try {
    const found = await measured<Measured>()
    if (typeof found === 'object' && found !== null && 'error' in found) throw new Error(String(found.error))
    return found
  } finally {
    await browser.kill()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Until the demo's reader shows the first frame of a long recording, from its opening on, and has checked its list. */
async function firstFrames(byHead: boolean): Promise<object[]> {
  const media = await recordedSlice()
  const figures: object[] = []
  for (const [chunksPerPage, logTimes, lists] of MANY.filter(([, isTold]) => isTold)) {
    const options = { chunks, roundTripMs, chunksPerPage, logTimes, lists, media }
    await served({ ...options, hasPage: 'first-frame' }, async (told, measured) => {
      for (let round = 0; round < Number(values.rounds); round++) {
        const found = await inPage<FramePage>(told, measured, byHead)
        figures.push({ chunks, pages: told.pages, lists, ...found, load: loadavg()[0] })
      }
    })
  }
  return figures
}

const cases: Readonly<Record<string, () => Promise<unknown>>> = {
  async many() {
    const figures: object[] = []
    for (const [chunksPerPage, logTimes, lists] of MANY)
      await served({ chunks, roundTripMs, chunksPerPage, logTimes, lists }, async (told) => {
        for (const [atATime, kinds] of AT_A_TIME) {
          const { openMs, readMs } = await readAll(told, kinds)
          const { pages } = told
          const seconds = (openMs + readMs) / 1_000
          figures.push({ chunks, pages, logTimes, lists, atATime, openMs, readMs, seconds })
        }
      })
    return figures
  },

  /** The same in Chromium, over HTTP/1.1. */
  async browser() {
    const figures: object[] = []
    for (const [chunksPerPage, logTimes, lists] of MANY.filter(([, isTold]) => isTold)) {
      const options = { chunks, roundTripMs, chunksPerPage, logTimes, lists, hasPage: true }
      await served(options, async (told, measured) => {
        const { openMs, readMs } = await inBrowser(told, measured)
        const seconds = (openMs + readMs) / 1_000
        figures.push({ chunks, pages: told.pages, lists, openMs, readMs, seconds })
      })
    }
    return figures
  },

  frame: () => firstFrames(false),

  /** The same without a chain, by the newest head that the gateway has. */
  'frame-by-head': () => firstFrames(true),

  seek: () =>
    served(
      { chunks, roundTripMs, chunkBytes: 256 * 1024, chunksPerPage: 8, bytesPerSec: 20 * MIB },
      async (told) => {
        const session = await openSession(optionsFor(told, ['good']))
        const took: number[] = []
        for (let at = 0; at < 20; at++) {
          const began = performance.now()
          const from = Math.floor((((at * 7) % 20) / 20) * 3_000 * chunks)
          for await (const _ of session.range(from, undefined, { unit: 'ms' })) break
          took.push(Math.round(performance.now() - began))
        }
        return {
          chunks,
          chunkBytes: 256 * 1024,
          seeks: took.length,
          medianMs: took.toSorted((a, b) => a - b)[10],
          mostMs: Math.max(...took),
        }
      },
    ),

  race: () =>
    served(
      { chunks: 500, roundTripMs, chunkBytes: 128 * 1024, bytesPerSec: 10 * MIB, chunksPerPage: 4 },
      async (told) => {
        const rounds = []
        for (let round = 0; round < 3; round++) {
          const alone = await readAll(told, ['good'])
          const beside = await readAll(told, ['dead', 'lying', 'slow', 'good'])
          const [aloneMs, besideMs] = [alone, beside].map(({ openMs, readMs }) => openMs + readMs) as [
            number,
            number,
          ]
          rounds.push({ aloneMs, besideMs, times: Number((besideMs / aloneMs).toFixed(3)) })
        }
        return rounds
      },
    ),

  throughput: () =>
    served(
      { chunks: Math.round(Number(values.mib) / 4), chunkBytes: 4 * MIB, chunksPerPage: 64 },
      async (told) => {
        const session = await openSession(optionsFor(told, ['good']))
        const rounds = []
        for (let round = 0; round < 5; round++) {
          const alone = await timed(() => fetchHashDecrypt(told))
          const reader = await timed(async () => {
            for await (const chunk of session.chunks()) if (chunk.verdict !== 'proved') throw chunk.error
          })
          const [ofAlone, ofAloneCpu] = [alone.tookMs / reader.tookMs, alone.cpuMs / reader.cpuMs].map(
            (ratio) => Number(ratio.toFixed(3)),
          )
          rounds.push({ alone, reader, ofAlone, ofAloneCpu })
        }
        return { mib: told.plaintextBytes / MIB, rounds }
      },
    ),

  memory: () =>
    served({ chunks: gib * 256, chunkBytes: 4 * MIB, chunksPerPage: 8 }, async (told) => {
      const session = await openSession(optionsFor(told, ['good']))
      global.gc?.()
      const startBytes = process.memoryUsage().rss
      /** The most of each quarter: what grows with the length shows. */
      const most = [0, 0, 0, 0]
      let bytes = 0
      const look = setInterval(() => {
        const quarter = Math.min(3, Math.floor((4 * bytes) / told.plaintextBytes))
        most[quarter] = Math.max(most[quarter]!, process.memoryUsage().rss)
      }, 20)
      const took = await timed(async () => {
        for await (const piece of session.stream()) bytes += piece.length
      })
      clearInterval(look)
      const mibOverStart = most.map((rss) => Math.round((rss - startBytes) / MIB))
      return { gib: bytes / 1024 / MIB, mibOverStart, ...took }
    }),
}

/** Time, and what this process has worked meanwhile: the one is that of a machine with other work, the other is not. */
async function timed(work: () => Promise<void>): Promise<{ tookMs: number; cpuMs: number }> {
  const began = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { tookMs: Math.round(performance.now() - began), cpuMs: Math.round((user + system) / 1_000) }
}

/** What nobody can do without, as many at a time as the reader has: fetch, one hash, decrypt; keys are known. */
async function fetchHashDecrypt({ name, keys, gateways }: Served): Promise<void> {
  const left = keys.entries()
  const lane = async () => {
    for (const [index, { key, iv, cid }] of left) {
      const response = await fetch(`${gateways.good}/ipfs/${cid}`)
      const bytes = await response.arrayBuffer()
      await webcrypto.subtle.digest('SHA-256', bytes)
      const place = Buffer.alloc(36)
      place.write(name, 'hex')
      place.writeUInt32BE(index, 32)
      const aes = await webcrypto.subtle.importKey('raw', Buffer.from(key, 'hex'), 'AES-GCM', false, [
        'decrypt',
      ])
      const algorithm = { name: 'AES-GCM', iv: Buffer.from(iv, 'hex'), additionalData: place }
      await webcrypto.subtle.decrypt(algorithm, aes, bytes)
    }
  }
  await Promise.all(Array.from({ length: 6 }, lane))
}

if (values.help) console.log(HELP)
else {
  const wanted = positionals.length > 0 ? positionals : Object.keys(cases)
  const reading: Record<string, unknown> = {}
  for (const name of wanted) {
    const run = cases[name]
    if (!run) throw new Error(`There is no case "${name}".`)
    reading[name] = await run()
    console.error(name, JSON.stringify(reading[name]))
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: repositoryRoot(),
    encoding: 'utf8',
  })
  const machine = {
    node: process.version,
    cpus: `${cpus().length} × ${cpus()[0]?.model}`,
    load: loadavg()[0],
    roundTripMs,
  }
  console.log(JSON.stringify({ reading, machine, commit: commit.trim() }, null, 2))
}
