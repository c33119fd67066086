import { openConnection, type Connection } from '../../src/connection.ts'
import { chunkIdOf, type SessionId, type SessionName } from '../../src/protocol/ids.ts'
import { newGroup } from '../../src/group.ts'
import { sealChunk } from '../../src/evidence/chunk-seal.ts'
import { newSessionKeys } from '../../src/evidence/session-keys.ts'
import { toBase64, fromHex } from '../../src/evidence/bytes.ts'
import { DISCARD_CONFIRMATION, recordingLockName, type SealedChunk } from '../../src/protocol/messages.ts'
import { nameFor } from '../../src/protocol/names.ts'
import { watch } from '../../src/watch.ts'
import { CHUNK_BYTES, SMALL_BYTES, type Measured, type Name, type Plan } from './comparison.ts'
import type { BareAnswer, BareRequest } from './protocol.ts'

// Runs by itself in a browser without a debugger, which would be what is measured; posts what it finds.

interface Recording {
  readonly id: SessionId
  readonly name: SessionName
  readonly sealingKey: string
  next: number
  done(): Promise<void>
}

type Measure = (plan: Plan) => Promise<Omit<Measured, 'name'>>

async function main(): Promise<void> {
  const plan = JSON.parse(new URL(location.href).searchParams.get('plan') ?? '{}') as Plan
  const bare = await bareWorker()
  const put = await openConnection({
    scriptUrl: '/bench-worker.js?put',
    type: 'classic',
    scope: '/put-scope/',
  })
  const tus = await openConnection({
    scriptUrl: '/bench-worker.js?tus',
    type: 'classic',
    scope: '/tus-scope/',
  })

  const measures: Readonly<Record<Name, Measure>> = {
    handoff: async ({ chunks }) => {
      await put.request({ type: 'policy', policy: 'paused' })
      const recording = await begin(put)
      const sealed = await sealMany(recording, chunks, CHUNK_BYTES)
      const ours: number[] = []
      const theirs: number[] = []
      for (const chunk of sealed) {
        ours.push(await timeOf(() => put.request({ type: 'chunk', chunk })))
        const copy = await copyOf(chunk)
        theirs.push(await timeOf(() => ask(bare, { do: 'take', ...copy })))
      }
      await recording.done()
      await put.request({ type: 'policy', policy: 'always' })
      await ask(bare, { do: 'clear' })
      return { ours: median(ours), bare: median(theirs) }
    },
    'drain-put': ({ chunks }) => drains(put, 'put', chunks),
    'drain-tus': ({ chunks }) => drains(tus, 'tus', chunks),
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
      const ours = await spentOn(async () => {
        await eightAtATime(sealed, (chunk) => put.request({ type: 'chunk', chunk }))
        await untilUploaded(put, recording.id, smallChunks)
      })
      await recording.done()
      const theirs = await spentOn(async () => {
        const sent: Promise<void>[] = []
        await eightAtATime(copies, async (copy) => {
          await ask(bare, { do: 'put', ...copy })
          sent.push(ask(bare, { do: 'send', id: copy.id }))
        })
        await Promise.all(sent)
      })
      await ask(bare, { do: 'clear' })
      return comparedBy((ms) => perSecond(ms, smallChunks), ours, theirs)
    },
    async backlog({ queued }) {
      const [few, many] = [100, queued]
      const long = await ourDrain(put, many, 1_024, 100)
      const short = await ourDrain(put, few, 1_024, 100)
      return { ours: long.ms / 100, bare: short.ms / few }
    },
    async 'write-amplification'({ chunks }) {
      const bytes = chunks * CHUNK_BYTES
      const before = await written()
      await ourDrain(put, chunks, CHUNK_BYTES)
      const between = await written()
      for (let index = 0; index < chunks; index++)
        await ask(bare, { do: 'put', id: String(index), payload: new Blob([noise(CHUNK_BYTES)]) })
      const after = await written()
      await ask(bare, { do: 'clear' })
      return { ours: (between - before) / bytes, bare: (after - between) / bytes }
    },
  }

  for (let round = 0; round < plan.rounds; round++)
    for (const name of plan.names) {
      const measured: Measured = { name, ...(await measures[name](plan)) }
      await post('/measured', measured)
    }
  await post('/done', {})

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
    const spent = await spentOn(async () => {
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
      await ask(bare, { do: 'put', id: `${index} ${digest}`, payload: new Blob([bytes]) })
    }
    const spent = await spentOn(() => ask(bare, { do: 'drain', by }))
    await ask(bare, { do: 'clear' })
    return spent
  }
}

/** As the page's own sessions begin, but that the chunks are sealed by the bench. */
async function begin(connection: Connection): Promise<Recording> {
  const id = crypto.randomUUID() as SessionId
  const { name, ...keys } = await newSessionKeys(id, [await newGroup()])
  let release = () => {}
  await new Promise<void>((held) => {
    void navigator.locks.request(
      nameFor(recordingLockName(id), connection.scope),
      () => new Promise<void>((go) => held((release = go) as never)),
    )
  })
  const session = {
    sessionId: id,
    ...keys,
    mimeType: 'video/webm',
    startedAtMs: Date.now(),
    seal: 'page',
  } as const
  await connection.request({ type: 'session-start', session })
  return {
    id,
    name,
    sealingKey: keys.sealingKey,
    next: 0,
    async done() {
      await connection.request({ type: 'discard', sessionId: id, confirm: DISCARD_CONFIRMATION })
      release()
    },
  }
}

async function sealMany(recording: Recording, chunks: number, sizeBytes: number): Promise<SealedChunk[]> {
  const sealed: SealedChunk[] = []
  while (sealed.length < chunks) {
    const index = recording.next++
    const { sealingKey, name } = recording
    const { ciphertext, ...rest } = await sealChunk({ sealingKey, name, index, plaintext: noise(sizeBytes) })
    sealed.push({
      kind: 'sealed',
      sessionId: recording.id,
      index,
      capturedAtMs: Date.now(),
      durationMs: 0,
      ...rest,
      payload: new Blob([ciphertext]),
    })
  }
  return sealed
}

/** The same bytes, in a Blob that nobody has read yet. */
async function copyOf({ sessionId, index, encryptedHash, payload }: SealedChunk) {
  const id = `${chunkIdOf(sessionId, index)} ${toBase64(fromHex(encryptedHash))}`
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

async function eightAtATime<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items]
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

async function bareSeal(plaintext: ArrayBuffer): Promise<void> {
  await crypto.subtle.digest('SHA-256', plaintext)
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  await crypto.subtle.digest('SHA-256', await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plaintext))
}

async function bareWorker(): Promise<ServiceWorker> {
  const registration = await navigator.serviceWorker.register('/bare-worker.js', { scope: '/bare-scope/' })
  const worker = registration.installing ?? registration.active
  if (worker === null) throw new Error('No bare worker.')
  while (worker.state !== 'activated')
    await new Promise((changed) => worker.addEventListener('statechange', changed, { once: true }))
  return worker
}

async function ask(worker: ServiceWorker, request: BareRequest): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  const answered = new Promise<BareAnswer>((resolve) => {
    port1.addEventListener('message', ({ data }) => resolve(data as BareAnswer))
    port1.start()
  })
  worker.postMessage(request, [port2])
  const answer = await answered
  port1.close()
  if (!answer.ok) throw new Error(answer.error)
}

function noise(sizeBytes: number): ArrayBuffer {
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes.buffer
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

const comparedBy = (rate: (ms: number) => number, ours: Spent, bare: Spent) => ({
  ours: rate(ours.ms),
  bare: rate(bare.ms),
  cpuMs: { ours: ours.cpuMs, bare: bare.cpuMs },
})

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN
const perSecond = (ms: number, chunks: number) => (1_000 * chunks) / ms
const megabytesPerSecond = (ms: number, chunks: number) => (perSecond(ms, chunks) * CHUNK_BYTES) / 1e6

const written = async () => Number(await (await fetch('/written')).text())
const cpuMs = async () => Number(await (await fetch('/cpu')).text())
const post = (path: string, body: unknown) => fetch(path, { method: 'POST', body: JSON.stringify(body) })

main().catch((error: unknown) => post('/broken', String(error)))
