import { afterEach, describe, expect, test, vi } from 'vitest'
import { rudeResumable, type Rudeness } from '../../../e2e/backend/rude-resumable.ts'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { objectOf } from '../../../e2e/transports/objects.ts'
import { resumable, type ResumableOptions } from './resumable.ts'

// Promise 2 of docs/guarantees.md. A copy counts by its digest or by being read back; at most one more is sent.
//
// What the draft (editors' text of 2026-07-01) demands of a client, and the test here that holds it:
//
// | sentence | test |
// | --- | --- |
// | Upload-Offset, -Complete, -Length: other values MUST be ignored | is told in words to lack …; is told in words to tell no … |
// | Complete: SHOULD NOT resume after ?1 | whose upload the server could not use is not gone on with |
// | Length: SHOULD be told as soon as it is known; all MUST match | creates an empty upload, with length, digest and name |
// | Limits: MUST NOT send more than max-append-size | cut appends to max-append-size; that leave no room for a byte refuse … |
// | Limits: MUST NOT send less than min-append-size | make appends no smaller than min-append-size, but the last |
// | Limits: SHOULD stop where it cannot keep to them | refuse an upload beyond max-size in words, before any byte of it leaves |
// | Limits: unknown members MUST be ignored | may come with members that nobody knows |
// | Limits: a known one of another type MUST void all of them | count for nothing where one of them is no Integer |
// | Limits, 413: SHOULD try smaller | that nobody told (413) are found by halving |
// | Creation, 4xx: SHOULD NOT try again | refuse it in the same words where the server does not even create it |
// | Offset: beyond what we have MUST be a failure, MUST NOT go on | is begun anew once it is beyond its own length |
// | Offset: MUST NOT be asked while an append is under way | one attempt at a time: the contract's deaths, by an aborted request |
// | Append: MUST have Upload-Offset, from the answer before; MUST have Upload-Complete | goes on at the offset that the upload has |
// | Append: completes with nothing what is whole | completes with nothing what has all bytes and is not complete |
// | Append, 4xx: SHOULD NOT go on, but as the answer says | that is refused is sent again from where the upload is |
// | Concurrency: MUST NOT append in parallel | goes on at the offset that the upload has |
// | Version: MUST be sent with each request | creates an empty upload …, and names the draft in each request |
// | 104: Location and version are to be checked | not ours: `fetch` shows none |

afterEach(() => void vi.unstubAllGlobals())

const SIZE_BYTES = 1000

interface Scene extends Partial<Omit<ResumableOptions, 'readUrl'>> {
  readonly reads?: boolean
  readonly sizeBytes?: number
}

/** One upload to a server, over several attempts as the engine makes them, each by a new worker. */
async function scene(rudeness: Rudeness, { reads = false, sizeBytes = SIZE_BYTES, ...options }: Scene = {}) {
  const server = await rudeResumable(rudeness)
  const { upload, bytes } = await objectOf('rude', sizeBytes)
  const { record, attempt } = keptAttempts(upload, bytes)
  const newTransport = () =>
    resumable({ endpoint: server.endpoint, ...(reads && { readUrl: server.readUrl }), ...options })
  const appends = () => server.seen('PATCH')
  return {
    attempt: async () => (await attempt(newTransport())) ?? 'stored',
    appends,
    seen: server.seen,
    upload,
    copies: () => appends().reduce((sum, { bytes: count }) => sum + count, 0) / sizeBytes,
    resumeToken: () => record.resumeToken,
  }
}

const PROBLEMS = 'https://iana.org/assignments/http-problem-types'
const problem = (status: number, type: string, complete = '?0') => ({
  status,
  headers: { 'Content-Type': 'application/problem+json', 'Upload-Complete': complete },
  body: JSON.stringify({ type: `${PROBLEMS}#${type}` }),
})

describe('what it asks for', () => {
  test('creates an empty upload, with length, digest and name, and names the draft in each request', async () => {
    const { attempt, seen, upload } = await scene({})
    expect(await attempt()).toBe('stored')
    const [created] = seen('POST')
    expect(created?.bytes).toBe(0)
    expect(created?.headers).toMatchObject({
      'upload-complete': '?0',
      'upload-length': '1000',
      'repr-digest': `sha-256=:${Buffer.from(upload.sha256, 'hex').toString('base64')}:`,
      'want-repr-digest': 'sha-256=10',
      'content-disposition': `inline; filename="${upload.cid}"`,
      'upload-draft-interop-version': '8',
    })
    expect(seen('PATCH')[0]?.headers).toMatchObject({
      'content-type': 'application/partial-upload',
      'upload-offset': '0',
      'upload-complete': '?1',
      'upload-draft-interop-version': '8',
    })
  })

  test('tells the session’s labels in the header fields that the app gives', async () => {
    const server = await rudeResumable({})
    const { upload, bytes } = await objectOf('rude', SIZE_BYTES)
    const transport = resumable({
      endpoint: server.endpoint,
      labelHeaders: ({ tenant = '' }) => ({ 'X-Tenant': encodeURIComponent(tenant) }),
    })
    const labelled = keptAttempts({ ...upload, labels: { tenant: 'Zürich' } }, bytes)
    expect(await labelled.attempt(transport)).toBeUndefined()
    const plain = await objectOf('other', SIZE_BYTES)
    expect(await keptAttempts(plain.upload, plain.bytes).attempt(transport)).toBeUndefined()
    expect(server.seen('POST').map(({ headers }) => headers['x-tenant'])).toEqual(['Z%C3%BCrich', undefined])
    expect(server.seen('PATCH').map(({ headers }) => headers['x-tenant'])).toEqual([undefined, undefined])
  })

  test('is proved by the digest in the last answer, and asks for nothing more', async () => {
    const { attempt, seen } = await scene({})
    expect(await attempt()).toBe('stored')
    expect([...seen('HEAD'), ...seen('GET')]).toEqual([])
  })

  test('takes no harm from interim answers', async () => {
    const { attempt, copies } = await scene({ interim: true })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  })
})

describe('a server that calls an upload complete', () => {
  test('and stored other bytes is found out by its digest, and gets them again', async () => {
    const rudeness: Rudeness = { damages: true }
    const { attempt, copies } = await scene(rudeness)
    expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
    rudeness.damages = false
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(2)
  })

  test('in an answer with content, and a digest of that, is asked for the digest of the upload', async () => {
    const { attempt, copies, seen } = await scene({ repliesDigest: true })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
    expect(seen('HEAD')).toHaveLength(1)
    const damaged = await scene({ repliesDigest: true, damages: true })
    expect(await damaged.attempt()).toMatchObject({ code: 'address-mismatch' })
  })

  test.each([{ readable: true }, { readable: false }])(
    'and stored other bytes is found out by reading them back (%o)',
    async ({ readable }) => {
      const rudeness: Rudeness = { damages: true, digests: false, readable }
      const { attempt, copies } = await scene(rudeness, { reads: !readable })
      expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
      rudeness.damages = false
      expect(await attempt()).toBe('stored')
      expect(copies()).toBe(2)
    },
  )

  test('but tells no digest and gives nothing back is told what to change, and gets one copy', async () => {
    const { attempt, copies } = await scene({ digests: false })
    for (let time = 0; time < 3; time += 1) {
      const error = await attempt()
      expect(error).toMatchObject({ code: 'rejected-by-store' })
      expect(String(error)).toContain('readUrl')
    }
    expect(copies()).toBe(1)
  })

  test('of which bytes are missing is told so', async () => {
    const { attempt } = await scene({ appends: [{ status: 200, headers: { 'Upload-Complete': '?1' } }] })
    expect(String(await attempt())).toContain('has only 0 bytes')
    expect(await attempt()).toBe('stored')
  })
})

describe('a server that forgets an upload once it is complete', () => {
  test('counts by the digest in its last answer', async () => {
    const { attempt, copies } = await scene({ forgetsWhole: true })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  })

  test('gets one more copy where its last answer was lost', async () => {
    const { attempt, copies } = await scene({ forgetsWhole: true, losesLast: 1 })
    expect(await attempt()).toMatchObject({ code: 'unreachable' })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(2)
  })

  test('gets no second copy where the first is found at readUrl', async () => {
    const { attempt, copies } = await scene(
      { forgetsWhole: true, losesLast: 1, digests: false },
      { reads: true },
    )
    expect(await attempt()).toMatchObject({ code: 'unreachable' })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  })

  test('gets two unproved copies at most until somebody has it sent again', async () => {
    const { attempt, copies } = await scene({ forgetsWhole: true, digests: false })
    expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
    expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
    const error = await attempt()
    expect(error).toMatchObject({ code: 'rejected-by-store' })
    expect(String(error)).toContain('Two copies were refused')
    expect(copies()).toBe(2)
    await attempt()
    expect(copies()).toBe(3)
  })
})

describe('the URL of an upload', () => {
  test('may be relative, with a query that is part of it', async () => {
    const query = '?tenant=7'
    const { attempt, copies, resumeToken } = await scene({
      digests: false,
      readable: true,
      query,
      location: (id) => `files/${id}${query}`,
    })
    expect(await attempt()).toBe('stored')
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
    expect(resumeToken()).toContain(query)
  })

  test('leaves a secret query out of the resume token', async () => {
    const query = '?signature=secret'
    const location = (id: string) => `/files/${id}${query}`
    const { attempt, resumeToken } = await scene({ query, location }, { secretQuery: true })
    expect(await attempt()).toBe('stored')
    expect(resumeToken()).toMatch(/\/files\/u1$/)
  })

  test('is relative to where the creation was redirected to', async () => {
    const { attempt, copies } = await scene({ redirect: '/eu/files/', location: (id) => id })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  })

  test.each(['', 'ftp://files.example/1', 'http://me:word@files.example/1', 'http://['])(
    'is refused before it is remembered: %s',
    async (location) => {
      const { attempt, copies, resumeToken } = await scene({ location: () => location })
      expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
      expect(resumeToken()).toBeUndefined()
      expect(copies()).toBe(0)
    },
  )

  test('is refused where only the server’s own network knows it', async () => {
    const { attempt, copies, resumeToken } = await scene({ location: () => 'http://127.0.0.1:9/files/1' })
    const error = await attempt()
    expect(error).toMatchObject({ code: 'rejected-by-store' })
    expect(String(error)).toContain('it cannot be reached')
    expect(resumeToken()).toBeUndefined()
    expect(copies()).toBe(0)
  })

  test('is refused where it gives up TLS', async () => {
    vi.stubGlobal(
      'fetch',
      async () => new Response(null, { status: 201, headers: { Location: 'http://files.example/files/1' } }),
    )
    const { attempt, resumeToken } = await scene({}, { endpoint: 'https://files.example/files' })
    expect(String(await attempt())).toContain('X-Forwarded-Proto')
    expect(resumeToken()).toBeUndefined()
  })

  test('is asked for in words where CORS hides it', async () => {
    const { attempt, copies } = await scene({ hides: ['location'] })
    expect(String(await attempt())).toMatch(/no Location, or CORS hides it/)
    expect(copies()).toBe(0)
  })
})

describe('the limits', () => {
  test('refuse an upload beyond max-size in words, before any byte of it leaves', async () => {
    const { attempt, copies } = await scene({ limits: 'max-size=999' })
    const error = await attempt()
    expect(error).toMatchObject({ code: 'rejected-by-store' })
    expect(String(error)).toMatch(/1000 bytes.*max-size=999/)
    expect(copies()).toBe(0)
  })

  test('refuse it in the same words where the server does not even create it', async () => {
    const { attempt } = await scene({ limits: 'max-size=999', refusesCreation: 413 })
    expect(String(await attempt())).toMatch(/for 1000 bytes.*max-size=999/)
  })

  test('refuse an upload below min-size that the server does not create, and no other', async () => {
    const { attempt } = await scene({ limits: 'min-size=1001', refusesCreation: 400 })
    expect(String(await attempt())).toMatch(/for 1000 bytes.*min-size=1001/)
    expect(await (await scene({ limits: 'min-size=1001' })).attempt()).toBe('stored')
  })

  test('cut appends to max-append-size', async () => {
    const { attempt, appends } = await scene({ limits: 'max-size=5000, max-append-size=300' })
    expect(await attempt()).toBe('stored')
    expect(appends().map(({ bytes }) => bytes)).toEqual([300, 300, 300, 100])
  })

  test('make appends no smaller than min-append-size, but the last', async () => {
    const { attempt, appends } = await scene({ limits: 'min-append-size=400' }, { partBytes: 100 })
    expect(await attempt()).toBe('stored')
    expect(appends().map(({ bytes }) => bytes)).toEqual([400, 400, 200])
  })

  test.each([
    'max-append-size="300"',
    'max-append-size=?1',
    'max-size=-999',
    'max-append-size',
    'max-size=?1, max-append-size=300',
    'max-size=1, min-append-size=1.5',
  ])('count for nothing where one of them is no Integer: %s', async (limits) => {
    const { attempt, appends } = await scene({ limits })
    expect(await attempt()).toBe('stored')
    expect(appends().map(({ bytes }) => bytes)).toEqual([1000])
  })

  test('may come with members that nobody knows', async () => {
    const { attempt, appends } = await scene({
      limits: 'x-max-append-size=1, max-append-size=600;a=1, y="z"',
    })
    expect(await attempt()).toBe('stored')
    expect(appends().map(({ bytes }) => bytes)).toEqual([600, 400])
  })

  test.each(['max-append-size=0', 'max-append-size=0, min-append-size=10', 'max-append-size=00'])(
    'that leave no room for a byte refuse the upload in words: %s',
    async (limits) => {
      const { attempt, copies, seen } = await scene({ limits })
      for (let time = 0; time < 2; time += 1) {
        const error = await attempt()
        expect(error).toMatchObject({ code: 'rejected-by-store' })
        expect(String(error)).toContain(limits)
      }
      expect(copies()).toBe(0)
      expect(seen('POST').length).toBe(1)
    },
  )

  test.each(['max-size=1', 'max-append-size=0'])(
    'that something on the way told once hold for no later upload: %s',
    async (limits) => {
      const rudeness: { limits?: string; refusesCreation?: number } = { limits, refusesCreation: 502 }
      const server = await rudeResumable(rudeness)
      const transport = resumable({ endpoint: server.endpoint })
      const { upload, bytes } = await objectOf('rude', SIZE_BYTES)
      const { attempt } = keptAttempts(upload, bytes)
      expect(await attempt(transport)).toBeDefined()
      delete rudeness.limits
      delete rudeness.refusesCreation
      expect(await attempt(transport)).toBeUndefined()
    },
  )

  test('that nobody told (413) are found by halving', async () => {
    const { attempt, appends } = await scene({ mostBytes: 90_000 }, { sizeBytes: 160_000 })
    expect(await attempt()).toBe('stored')
    expect(appends().map(({ bytes }) => bytes)).toEqual([160_000, 80_000, 80_000])
  })

  test('that are of now (413 with Retry-After) are waited for, and sent less to then', async () => {
    const { endpoint, seen } = await rudeResumable({ mostBytes: 90_000, retryAfter: 30 })
    const { upload, bytes } = await objectOf('rude', 160_000)
    const { attempt } = keptAttempts(upload, bytes)
    const transport = resumable({ endpoint })
    expect(await attempt(transport)).toMatchObject({ class: 'conflict', retryAfterMs: 30_000 })
    expect(seen('PATCH').map((part) => part.bytes)).toEqual([160_000])
    expect(await attempt(transport)).toBeUndefined()
    expect(seen('PATCH').map((part) => part.bytes)).toEqual([160_000, 80_000, 80_000])
  })

  test('that let nothing through (413) leave no crumbs once they have passed', async () => {
    const rudeness = { mostBytes: 0 }
    const { endpoint, seen } = await rudeResumable(rudeness)
    const { upload, bytes } = await objectOf('rude', 160_000)
    const { attempt } = keptAttempts(upload, bytes)
    const transport = resumable({ endpoint })
    for (let time = 0; time < 5; time++)
      expect(await attempt(transport)).toMatchObject({ code: 'rejected-by-store' })
    const before = seen('PATCH').length
    rudeness.mostBytes = Infinity
    expect(await attempt(transport)).toBeUndefined()
    const sizes = seen('PATCH')
      .slice(before)
      .map((part) => part.bytes)
    expect(sizes).toEqual(Array(4).fill(40_000))
  })
})

describe('an append', () => {
  test.each([
    problem(409, 'mismatching-upload-offset'),
    problem(400, 'completed-upload'),
    problem(400, 'inconsistent-upload-length'),
    { status: 409 },
  ])('that is refused is sent again from where the upload is (%o)', async (answer) => {
    const { attempt, seen } = await scene({ appends: [answer] })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toBe('stored')
    expect(seen('HEAD').length).toBe(1)
    expect(seen('POST').length).toBe(1)
  })

  test('goes on at the offset that the upload has', async () => {
    const { attempt, appends } = await scene(
      { appends: [{ status: 204, headers: { 'Upload-Complete': '?0' } }] },
      { partBytes: 400 },
    )
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toBe('stored')
    expect(appends().map(({ headers }) => headers['upload-offset'])).toEqual(['0', '400', '0', '400', '800'])
  })

  test('completes with nothing what has all bytes and is not complete', async () => {
    const { attempt, appends } = await scene({
      damages: false,
      losesLast: 0,
      beyond: SIZE_BYTES,
      appends: [{ status: 409 }, { status: 503 }],
    })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toMatchObject({ code: 'server-error' })
    expect(appends().map(({ bytes }) => bytes)).toEqual([1000, 0])
    expect(appends()[1]?.headers).toMatchObject({ 'upload-complete': '?1', 'upload-offset': '1000' })
  })

  test('that is refused again and again is given up for now', async () => {
    const { attempt, appends } = await scene({ appends: Array.from({ length: 9 }, () => ({ status: 409 })) })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
    expect(appends().length).toBe(2)
  })

  test('that damaged the upload for good has it sent anew', async () => {
    const { attempt, seen } = await scene({ appends: [problem(400, 'digest-mismatching-values', '?1')] })
    expect(await attempt()).toMatchObject({ class: 'conflict' })
    expect(await attempt()).toBe('stored')
    expect(seen('POST').length).toBe(2)
  })

  test('whose upload the server could not use is not gone on with', async () => {
    const failed = { status: 500, headers: { 'Upload-Complete': '?1' } }
    const { attempt, seen } = await scene({ appends: [failed] })
    expect(await attempt()).toMatchObject({ code: 'server-error' })
    expect(await attempt()).toBe('stored')
    expect(seen('POST').length).toBe(2)
  })

  test.each([423, 429, 503])('waits as long as the server asks for (%i)', async (status) => {
    const { attempt } = await scene({ appends: [{ status, headers: { 'Retry-After': '120' } }] })
    expect(await attempt()).toMatchObject({ class: 'transient', retryAfterMs: 120_000 })
  })
})

describe('an upload that was looked at', () => {
  test.each([true, false])('is begun anew once it is beyond its own length (digests %s)', async (digests) => {
    const { attempt, copies, seen } = await scene({ digests, beyond: 1005, appends: [{ status: 409 }] })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    const second = await attempt()
    if (digests) expect(second).toBe('stored')
    else expect(second).toMatchObject({ code: 'rejected-by-store' })
    expect(copies()).toBe(2)
    expect(seen('PATCH').map(({ headers }) => headers['upload-offset'])).toEqual(['0', '0'])
  })

  test.each([
    { offset: '1e3' },
    { offset: '+5' },
    { offset: '0x10' },
    { offset: '-0' },
    { offset: '0, 0' },
    { offset: '' },
    { complete: '1' },
    { complete: 'true' },
    { complete: '?2' },
    { length: '1e3' },
    { length: '1000, 1000' },
  ])('is told in words to tell no %o', async (answers) => {
    const { attempt, copies } = await scene({ answers, appends: [{ status: 503 }] })
    expect(await attempt()).toMatchObject({ code: 'server-error' })
    const error = await attempt()
    expect(error).toMatchObject({ code: 'rejected-by-store' })
    expect(String(error)).toContain('CORS hides it')
    expect(copies()).toBe(1)
  })

  test.each(['upload-offset', 'upload-complete', 'upload-length'])(
    'is told in words to lack %s',
    async (header) => {
      const { attempt } = await scene({ hides: [header], appends: [{ status: 503 }] })
      await attempt()
      const error = await attempt()
      expect(error).toMatchObject({ code: 'rejected-by-store' })
      expect(String(error)).toContain('CORS hides it')
    },
  )
})
