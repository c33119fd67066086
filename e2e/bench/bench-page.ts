import { openConnection, type Connection } from '../../src/connection.ts'
import { chunkIdOf, type SessionId } from '../../src/protocol/ids.ts'
import { sealChunk } from '../../src/evidence/chunk-seal.ts'
import { toBase64, fromHex } from '../../src/evidence/bytes.ts'
import type { SealedChunk } from '../../src/protocol/messages.ts'
import { watch } from '../../src/watch.ts'
import {
  CHUNK_BYTES,
  SMALL_BYTES,
  type Measured,
  type PageName,
  type PagePlan,
  type Plan,
} from './comparison.ts'
import { askBare, bareWorker } from './bare.ts'
import { median } from './median.ts'
import { peerUploads } from './peer-uploads.ts'
import { begin, eightAtATime, noise, sealMany } from './recording.ts'
import { post } from './post.ts'

// Runs by itself in a browser without a debugger, which would be what is measured; posts what it finds.

/** On the CPU in half a second, ms. */
const AT_REST_MS = 50

/** Chunks that "backlog" counts of each side: what a queue costs once, such as its list, is shared by these. */
const COUNTED = 1_000
const SHORT_QUEUE = 100

type Measure = (plan: Plan) => Promise<Omit<Measured, 'name'>>

async function main(): Promise<void> {
  const plan = JSON.parse(new URL(location.href).searchParams.get('plan') ?? '{}') as PagePlan
  const bare = await bareWorker()
  const peer = await bareWorker('peer')
  const put = await openConnection({
    scriptUrl: '/put-worker.js',
    type: 'classic',
    scope: '/put-scope/',
  })
  const tus = await openConnection({
    scriptUrl: '/tus-worker.js',
    type: 'classic',
    scope: '/tus-scope/',
  })

  const measures: Readonly<Record<PageName, Measure>> = {
    handoff: ({ chunks }) => handOff(bare, chunks),
    'handoff-peer': ({ chunks }) => handOff(peer, chunks),
    'drain-put': ({ chunks }) => drains(put, 'put', chunks),
    'drain-tus': ({ chunks }) => drains(tus, 'tus', chunks),
    async 'drain-peer'({ chunks }) {
      const ours = await ourDrain(put, chunks, CHUNK_BYTES)
      const { drain } = await peerUploads(
        Array.from({ length: chunks }, () => new Blob([noise(CHUNK_BYTES)])),
      )
      const theirs = await spentOn(drain)
      return comparedBy((ms) => megabytesPerSecond(ms, chunks), ours, theirs)
    },
    async seal({ chunks }) {
      const recording = await begin(put)
      const ours: number[] = []
      const theirs: number[] = []
      for (let index = 0; index < chunks; index++) {
        const plaintext = noise(CHUNK_BYTES)
        const { sealingKey, name } = recording
        ours.push(await timeOf(() => sealChunk({ sealingKey, name, index, plaintext })))
        theirs.push(await timeOf(() => bareSeal(plaintext)))
      }
      await recording.done()
      return { ours: median(ours), bare: median(theirs) }
    },
    async small({ smallChunks }) {
      const recording = await begin(put)
      const sealed = await sealMany(recording, smallChunks, SMALL_BYTES)
      const copies = await Promise.all(sealed.map(copyOf))
      const ours = await spentUntilProved(put, recording.id, smallChunks, async () => {
        await eightAtATime(sealed, (chunk) => put.request({ type: 'chunk', chunk }))
        await untilUploaded(put, recording.id, smallChunks)
      })
      await recording.done()
      const theirs = await spentOn(async () => {
        const sent: Promise<void>[] = []
        await eightAtATime(copies, async (copy) => {
          await askBare(bare, { do: 'put', ...copy })
          sent.push(askBare(bare, { do: 'send', id: copy.id }))
        })
        await Promise.all(sent)
      })
      await askBare(bare, { do: 'clear' })
      return comparedBy((ms) => perSecond(ms, smallChunks), ours, theirs)
    },
    async backlog({ queued }) {
      const counted = Math.min(queued, COUNTED)
      const long = await ourDrain(put, queued, 1_024, counted)
      let shortMs = 0
      for (let left = counted; left > 0; left -= SHORT_QUEUE)
        shortMs += (await ourDrain(put, Math.min(left, SHORT_QUEUE), 1_024)).ms
      return { ours: long.ms / counted, bare: shortMs / counted }
    },
    async 'write-amplification'({ chunks }) {
      const bytes = chunks * CHUNK_BYTES
      const before = await written()
      await ourDrain(put, chunks, CHUNK_BYTES)
      const between = await written()
      for (let index = 0; index < chunks; index++)
        await askBare(bare, { do: 'put', id: String(index), payload: new Blob([noise(CHUNK_BYTES)]) })
      const after = await written()
      await askBare(bare, { do: 'clear' })
      return { ours: (between - before) / bytes, bare: (after - between) / bytes }
    },
  }

  for (let round = 0; round < plan.rounds; round++)
    for (const name of plan.names) {
      await atRest()
      const measured: Measured = { name, ...(await measures[name](plan)) }
      await post('/measured', measured)
    }
  await post('/done', {})

  /** Each chunk to our worker, then the same bytes to the other. */
  async function handOff(other: ServiceWorker, chunks: number) {
    await put.request({ type: 'policy', policy: 'paused' })
    const recording = await begin(put)
    const sealed = await sealMany(recording, chunks, CHUNK_BYTES)
    const ours: number[] = []
    const theirs: number[] = []
    for (const chunk of sealed) {
      ours.push(await timeOf(() => put.request({ type: 'chunk', chunk })))
      const copy = await copyOf(chunk)
      theirs.push(await timeOf(() => askBare(other, { do: 'take', ...copy })))
    }
    await recording.done()
    await put.request({ type: 'policy', policy: 'always' })
    await askBare(other, { do: 'clear' })
    return { ours: median(ours), bare: median(theirs) }
  }

  async function drains(connection: Connection, by: 'put' | 'tus', chunks: number) {
    const ours = await ourDrain(connection, chunks, CHUNK_BYTES)
    const theirs = await bareDrain(by, chunks, CHUNK_BYTES)
    return comparedBy((ms) => megabytesPerSecond(ms, chunks), ours, theirs)
  }

  /** From the moment at which uploads are allowed to the last one's proof at the worker. */
  async function ourDrain(connection: Connection, chunks: number, sizeBytes: number, counted = chunks) {
    await connection.request({ type: 'policy', policy: 'paused' })
    const recording = await begin(connection)
    for (let left = chunks; left > 0; left -= 40) {
      const sealed = await sealMany(recording, Math.min(left, 40), sizeBytes)
      await eightAtATime(sealed, (chunk) => connection.request({ type: 'chunk', chunk }))
    }
    const uploaded = untilUploaded(connection, recording.id, counted)
    await atRest()
    const spent = await spentUntilProved(connection, recording.id, counted, async () => {
      await connection.request({ type: 'policy', policy: 'always' })
      await uploaded
    })
    await recording.done()
    return spent
  }

  async function bareDrain(by: 'put' | 'tus', chunks: number, sizeBytes: number): Promise<Spent> {
    for (let index = 0; index < chunks; index++) {
      const bytes = noise(sizeBytes)
      const digest = toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
      await askBare(bare, { do: 'put', id: `${index} ${digest}`, payload: new Blob([bytes]) })
    }
    await atRest()
    const spent = await spentOn(() => askBare(bare, { do: 'drain', by }))
    await askBare(bare, { do: 'clear' })
    return spent
  }
}

/** The same bytes, in a Blob that nobody has read yet. */
async function copyOf({ sessionId, index, seal, payload }: SealedChunk) {
  const id = `${chunkIdOf(sessionId, index)} ${toBase64(fromHex(seal.encryptedHash))}`
  return { id, payload: new Blob([await payload.arrayBuffer()]) }
}

async function untilUploaded(connection: Connection, id: SessionId, chunks: number): Promise<void> {
  for await (const { sessions } of watch(connection)) {
    const {
      uploaded = 0,
      manifesting = 0,
      anchoring = 0,
    } = sessions.find((one) => one.id === id)?.chunks ?? {}
    if (uploaded + manifesting + anchoring >= chunks) return
  }
}

async function bareSeal(plaintext: ArrayBuffer): Promise<void> {
  await crypto.subtle.digest('SHA-256', plaintext)
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  await crypto.subtle.digest('SHA-256', await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plaintext))
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** What some work took, ms by the clock and on the CPU. */
interface Spent {
  readonly ms: number
  readonly cpuMs: number
}

async function spentOn(work: () => Promise<unknown>): Promise<Spent> {
  const before = await cpuMs()
  const ms = await timeOf(work)
  return { ms, cpuMs: (await cpuMs()) - before }
}

/**
 * The same, but up to the last proof of so many chunks, as the worker's log has its time: a page is told of it up to a tenth
 * of a second later, which is how often it is told of anything, and the bare worker answers at once.
 */
async function spentUntilProved(
  connection: Connection,
  sessionId: SessionId,
  chunks: number,
  work: () => Promise<unknown>,
): Promise<Spent> {
  let beganAtMs = 0
  const spent = await spentOn(() => {
    beganAtMs = Date.now()
    return work()
  })
  const log = await connection.request({ type: 'log', sessionId })
  const provedAtMs = log
    .flatMap(({ event, atMs }) => (event === 'stored' ? atMs : []))
    .sort((a, b) => a - b)
    .at(chunks - 1)
  if (provedAtMs === undefined) throw new Error('The log lacks proofs.')
  return { ...spent, ms: provedAtMs - beganAtMs }
}

const comparedBy = (rate: (ms: number) => number, ours: Spent, bare: Spent) => ({
  ours: rate(ours.ms),
  bare: rate(bare.ms),
  cpuMs: { ours: ours.cpuMs, bare: bare.cpuMs },
})

const perSecond = (ms: number, chunks: number) => (1_000 * chunks) / ms
const megabytesPerSecond = (ms: number, chunks: number) => (perSecond(ms, chunks) * CHUNK_BYTES) / 1e6

/**
 * Half a second in which the browser does next to nothing: what it clears away of the last comparison, or of filling a
 * queue, is not of this one. A browser that never rests is measured as it is, a minute later.
 */
async function atRest(): Promise<void> {
  for (let before = await cpuMs(), halves = 0; halves < 120; halves++) {
    await new Promise((passed) => setTimeout(passed, 500))
    const now = await cpuMs()
    if (now - before <= AT_REST_MS) return
    before = now
  }
}

const written = async () => Number(await (await fetch('/written')).text())
const cpuMs = async () => Number(await (await fetch('/cpu')).text())

main().catch((error: unknown) => post('/broken', String(error)))
