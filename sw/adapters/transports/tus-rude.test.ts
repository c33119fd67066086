import { afterEach, expect, test, vi } from 'vitest'
import { rudeTus, type Rudeness } from '../../../e2e/backend/rude-tus.ts'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { objectOf } from '../../../e2e/transports/objects.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import { tus, type TusOptions } from './tus.ts'

// Promise 2 of docs/guarantees.md. tus servers as public reports tell of them: at most two copies are sent, and what is wrong is told in words.

afterEach(() => void vi.unstubAllGlobals())

const SIZE_BYTES = 1000

/** One upload to a server, over several attempts as the engine makes them, each by a new worker. */
async function scene(rudeness: Rudeness, options: Partial<TusOptions> = {}) {
  const server = await rudeTus(rudeness)
  const { upload, bytes } = await objectOf('rude', SIZE_BYTES)
  const { record, attempt } = keptAttempts(upload, bytes)
  let transport = tus({ endpoint: server.endpoint, ...options })
  return {
    attempt: async () => (await attempt(transport)) ?? 'stored',
    copies: () => server.received() / SIZE_BYTES,
    resumeToken: () => record.resumeToken,
    newWorker: () => {
      transport = tus({ endpoint: server.endpoint, ...options })
    },
  }
}

test.each([500, 404, 405, 'bare'] as const)(
  'takes OPTIONS that fails (%s) for no answer, sends nothing, and asks again',
  async (options) => {
    const rudeness: Rudeness = { checksums: true, options }
    const { attempt, copies } = await scene(rudeness)
    expect(await attempt()).toBeInstanceOf(HoldfastError)
    expect(copies()).toBe(0)
    rudeness.options = 204
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  },
)

test('sends again with checksums what was sent without and cannot be read back', async () => {
  const rudeness = { checksums: false, readable: false }
  const { attempt, copies, newWorker } = await scene(rudeness)
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  rudeness.checksums = true
  newWorker()
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(2)
})

test.each([true, false])('names the headers to expose where the length is hidden (%s)', async (checksums) => {
  const { attempt, copies } = await scene({ checksums, hidesLength: true, readable: true })
  for (let time = 0; time < 3; time += 1) {
    const error = await attempt()
    expect(error).toMatchObject({ code: 'rejected-by-store', class: 'refused' })
    expect(String(error)).toMatch(/Expose .*Upload-Length/)
  }
  expect(copies()).toBe(1)
})

const SPELLINGS: readonly [string, (value: number) => string][] = [
  ['1e3', (value) => value.toExponential()],
  ['+5', (value) => `+${value}`],
  ['-5', (value) => `-${value}`],
  ['0x5', (value) => `0x${value.toString(16)}`],
  ['5.0', (value) => `${value}.0`],
  ['5, 5', (value) => `${value}, ${value}`],
  ['5 bytes', (value) => `${value} bytes`],
  ['nothing', () => ''],
]

test.each(SPELLINGS)('takes no length written as %s, after one copy, and says so', async (_, lengthAs) => {
  const { attempt, copies } = await scene({ checksums: true, lengthAs })
  for (let time = 0; time < 3; time += 1) expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
  expect(copies()).toBe(1)
})

test.each(SPELLINGS)('takes no offset written as %s, after one copy, and says so', async (_, offsetAs) => {
  const { attempt, copies } = await scene({ checksums: true, offsetAs })
  for (let time = 0; time < 3; time += 1) expect(String(await attempt())).toContain('without Upload-Offset')
  expect(copies()).toBe(1)
})

test('takes a length and an offset with zeros before them', async () => {
  const zeros = (value: number) => `000${value}`
  const { attempt, copies } = await scene({ checksums: true, lengthAs: zeros, offsetAs: zeros })
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
})

test.each([
  { checksums: true, trustLength: false },
  { checksums: false, trustLength: true },
])(
  'counts a proved or trusted copy that the server then forgets (%o)',
  async ({ checksums, trustLength }) => {
    const { attempt, copies } = await scene({ checksums, forgetsWhole: true }, { trustLength })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  },
)

test('sends one more copy to a server that forgets an unproved one, and then says so', async () => {
  const { attempt, copies } = await scene({ forgetsWhole: true })
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  const error = await attempt()
  expect(error).toMatchObject({ code: 'rejected-by-store' })
  expect(String(error)).toContain('trustLength')
  expect(copies()).toBe(2)
})

test('keeps the query of an upload’s URL that is part of its name', async () => {
  const query = '?tusv2=true'
  const { attempt, copies, resumeToken, newWorker } = await scene({
    readable: true,
    query,
    location: (id) => `/files/${id}${query}`,
  })
  expect(await attempt()).toBe('stored')
  newWorker()
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
  expect(resumeToken()).toContain(query)
})

test('finds a relative Location from where it was redirected to', async () => {
  const { attempt, copies } = await scene({ checksums: true, redirect: '/eu/files/', location: (id) => id })
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
})

test.each(['', 'ftp://files.example/1', 'http://me:word@files.example/1', 'http://['])(
  'refuses the Location %s before it remembers it',
  async (location) => {
    const { attempt, copies, resumeToken } = await scene({ checksums: true, location: () => location })
    expect(await attempt()).toBeInstanceOf(HoldfastError)
    expect(resumeToken()).toBeUndefined()
    expect(copies()).toBe(0)
  },
)

test('takes HEAD with 204', async () => {
  const { attempt } = await scene({ checksums: true, headStatus: 204 })
  expect(await attempt()).toBe('stored')
})

test('waits for an upload that is locked (423)', async () => {
  const { attempt, copies } = await scene({ checksums: true, headStatus: 423 })
  expect(await attempt()).toMatchObject({ code: 'throttled' })
  expect(await attempt()).toMatchObject({ code: 'throttled' })
  expect(copies()).toBe(1)
})

test.each([204, 409] as const)(
  'sends no part twice in an attempt that is taken nowhere (%i)',
  async (patchStatus) => {
    const { attempt, copies } = await scene({ checksums: true, patchStatus })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(copies()).toBe(1)
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
    expect(copies()).toBe(2)
  },
)

test('says that an offset lies beyond the length', async () => {
  const { attempt, copies } = await scene({ checksums: true, beyond: 5 })
  expect(String(await attempt())).toContain('beyond the length')
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  expect(copies()).toBe(1)
})

test('remembers no Location that only the server’s own network knows, and gets out by itself once it is mended', async () => {
  let location: (id: string) => string = (id) => `http://127.0.0.1:9/files/${id}`
  const { attempt, copies, resumeToken } = await scene({ checksums: true, location: (id) => location(id) })
  const error = await attempt()
  expect(error).toMatchObject({ code: 'rejected-by-store' })
  expect(String(error)).toContain('it cannot be reached')
  expect(resumeToken()).toBeUndefined()
  location = (id) => `/files/${id}`
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
})

test('does not believe a copy whose upload goes on for longer', async () => {
  const { attempt, copies } = await scene({ checksums: true, longer: 1 })
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
  expect(copies()).toBe(2)
})

test('refuses a Location that gives up TLS, before it remembers it', async () => {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (url: string, { method }: RequestInit) => {
    asked.push(`${method} ${url}`)
    return method === 'OPTIONS'
      ? new Response(null, { status: 204, headers: { 'Tus-Version': '1.0.0' } })
      : new Response(null, { status: 201, headers: { Location: 'http://files.example/files/1' } })
  })
  const { attempt, resumeToken } = await scene({}, { endpoint: 'https://files.example/files' })
  const error = await attempt()
  expect(error).toMatchObject({ code: 'rejected-by-store' })
  expect(String(error)).toContain('X-Forwarded-Proto')
  expect(resumeToken()).toBeUndefined()
  expect(asked).toEqual(['OPTIONS https://files.example/files', 'POST https://files.example/files'])
})

test('tells a head by its session and its size, beside its address', async () => {
  const { endpoint } = await rudeTus({ checksums: true })
  const { upload, bytes } = await objectOf('rude', SIZE_BYTES)
  const told: string[] = []
  const send = fetch
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const metadata = new Headers(init.headers).get('upload-metadata')
    if (metadata !== null) told.push(metadata)
    return send(url, init)
  })
  const head = { session: '12'.repeat(32) as SessionName, size: 3 }
  for (const object of [upload, { ...upload, head }])
    await keptAttempts(object, bytes).attempt(tus({ endpoint }))
  const filename = `filename ${btoa(upload.cid)}`
  expect(told).toEqual([filename, `${filename},head ${btoa(`${head.session}/3`)}`])
})

test('counts no copy where not even its creation is taken', async () => {
  const { attempt, copies } = await scene({ checksums: true, createStatus: 500 })
  for (let time = 0; time < 4; time += 1) expect(await attempt()).toMatchObject({ code: 'server-error' })
  expect(copies()).toBe(0)
})

test('sends no third copy in parts of which the first are taken each time', async () => {
  const { attempt, copies } = await scene({ refusesLast: true }, { partBytes: 400 })
  expect(await attempt()).toMatchObject({ code: 'server-error' })
  expect(await attempt()).toMatchObject({ code: 'server-error' })
  expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
  expect(copies()).toBe(2)
})
