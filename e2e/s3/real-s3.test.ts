import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { presignedPut, type Grant, type GrantRequest } from '../../sw/adapters/transports/put.ts'
import { freePort } from '../backend/ports.ts'
import { keptAttempts } from '../transports/kept-attempts.ts'
import { freshObject } from '../transports/objects.ts'
import { CEPH, startCeph, type S3 } from './ceph.ts'
import { missingOf } from './daemon.ts'
import { NGINX, startNginx, type Proxy, type ProxyOptions } from './nginx.ts'
import { presign, signHeaders } from './presign.ts'
import { stallingLink } from './stalling-link.ts'

// Promises 2, 4, 5 of docs/guarantees.md, at a store and a proxy that are not ours.

const MISSING = missingOf([...CEPH, ...NGINX])
const missing = MISSING.join(', ')
if (MISSING.length > 0) console.warn(`The tests at a real S3 server are skipped; not installed: ${missing}`)

const MIB = 1024 * 1024
/** Leaves with its request's head, so that a refusal without reading it reaches us. */
const SMALL = 1000
const MINUTE_MS = 60_000

describe.skipIf(MISSING.length > 0)('a presigned PUT to Ceph’s S3 gateway, behind nginx', () => {
  let store: S3
  const proxies: Proxy[] = []

  beforeAll(async () => {
    store = await startCeph()
  })
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.kill()
  })
  afterAll(() => store.stop())

  async function behind(options: Omit<ProxyOptions, 'to'>) {
    const proxy = await startNginx({ to: store.port, ...options })
    proxies.push(proxy)
    return proxy
  }

  const base64Of = (algorithm: string, content: string | Uint8Array) =>
    createHash(algorithm).update(content).digest('base64')

  interface Wish {
    readonly headers?: Readonly<Record<string, string>>
    /** How long ago it was signed, ms. */
    readonly ageMs?: number
    readonly expiresSec?: number
    readonly sign?: typeof presign
  }

  /** The app's server: signs what it is asked to, as the test wants it, and notes what that was. */
  function signer(port: number, wish: (request: GrantRequest) => Wish = () => ({})) {
    const asked: string[] = []
    const grant: Grant = async (request) => {
      const { method, cid, reason } = request
      asked.push(reason === 'send' ? method : `${method} again`)
      const { headers, ageMs = 0, expiresSec, sign = presign } = wish(request)
      const url = `http://127.0.0.1:${port}/${store.bucket}/${cid}`
      const options = { method, url, ...(headers && { headers }), atMs: Date.now() - ageMs }
      return sign(store.account, options, expiresSec)
    }
    return { grant, asked }
  }

  /** An object, its attempts by one worker after another, and the requests that the app was asked to sign. */
  async function scene(port: number, wish?: (request: GrantRequest) => Wish, sizeBytes = MIB) {
    const { upload, bytes } = await freshObject(sizeBytes)
    const { grant, asked } = signer(port, wish)
    const { attempt } = keptAttempts(upload, bytes)
    return { upload, asked, attempt: () => attempt(presignedPut({ grant })) }
  }

  const onlyPut = (wish: Wish) => (request: GrantRequest) => (request.method === 'PUT' ? wish : {})

  describe.each([{ buffering: true }, { buffering: false }])('with buffering $buffering', ({ buffering }) => {
    test('is read back where the store tells no checksum, and not sent twice', async () => {
      const { port } = await behind({ buffering })
      const { attempt, asked } = await scene(port, undefined, 3 * MIB)
      expect(await attempt()).toBeUndefined()
      expect(asked).toEqual(['PUT', 'HEAD', 'GET'])
      expect(await attempt()).toBeUndefined()
      expect(asked.filter((method) => method === 'PUT')).toHaveLength(1)
    })

    test('that the proxy died in leaves nothing, and is sent again', async () => {
      const proxy = await behind({ buffering })
      const link = await stallingLink(proxy.port, 2 * MIB)
      const { attempt, asked } = await scene(link.port, undefined, 6 * MIB)
      const first = attempt()
      await link.stalled
      await proxy.kill()
      expect(await first).toMatchObject({ code: 'unreachable' })
      await behind({ buffering, port: proxy.port })
      link.release()
      expect(await attempt()).toBeUndefined()
      expect(asked).toEqual(['PUT', 'HEAD', 'PUT', 'HEAD', 'GET'])
      await link.close()
    })

    test('that is too large for the proxy is told with its status, and sent once', async () => {
      const { port } = await behind({ buffering, mostBytes: MIB - 1 })
      const { attempt, asked } = await scene(port)
      const error = await attempt()
      expect(error).toMatchObject({ code: 'rejected-by-store' })
      expect(String(error)).toContain('413')
      expect(asked).toEqual(['PUT'])
    })

    test('to a store that is down behind its proxy is for later', async () => {
      const dead = await freePort({ port: 0, wantedBy: 'nobody', option: '' })
      const proxy = await startNginx({ to: dead, buffering })
      proxies.push(proxy)
      const { attempt } = await scene(proxy.port)
      expect(await attempt()).toMatchObject({ code: 'server-error', class: 'transient' })
    })
  })

  test.each([
    ['BadDigest', { 'content-md5': base64Of('md5', 'other bytes') }],
    ['XAmzContentSHA256Mismatch', { 'x-amz-content-sha256': '0'.repeat(64) }],
  ])('whose grant signs another checksum is told so at the second %s', async (code, headers) => {
    const { port } = await behind({ buffering: false })
    const { attempt } = await scene(port, onlyPut({ headers }))
    expect(await attempt()).toMatchObject({ code: 'address-mismatch', class: 'conflict' })
    const error = await attempt()
    expect(error).toMatchObject({ code: 'rejected-by-store' })
    expect(String(error)).toContain(`${code}: the grant signs another checksum`)
  })

  describe('that creates only', () => {
    const createOnly = onlyPut({ headers: { 'if-none-match': '*' } })

    test('creates what is not there', async () => {
      const { port } = await behind({ buffering: true })
      expect(await (await scene(port, createOnly)).attempt()).toBeUndefined()
    })

    test('proves what it finds there already', async () => {
      const { port } = await behind({ buffering: true })
      const { bytes, upload, attempt } = await freshObject(MIB)
      const { grant, asked } = signer(port, createOnly)
      const transport = presignedPut({ grant })
      expect(await transport.send(upload, bytes, { kind: 'nothing' }, attempt)).toBe('sent')
      expect(await transport.send(upload, bytes, { kind: 'nothing' }, attempt)).toBe('sent')
      await transport.verify?.(upload, attempt)
      expect(asked).toEqual(['PUT', 'PUT', 'HEAD', 'GET'])
    })

    test('overwrites no other bytes, and a person is told', async () => {
      const { port } = await behind({ buffering: true })
      const { upload, attempt } = await scene(port, createOnly)
      const { grant } = signer(port)
      const taken = await grant({ method: 'PUT', reason: 'send', ...upload })
      const put = await fetch(taken?.url ?? '', { method: 'PUT', body: 'other bytes' })
      expect(put.status).toBe(200)
      expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
      const error = await attempt()
      expect(error).toMatchObject({ code: 'rejected-by-store' })
      expect(String(error)).toContain('other bytes are there')
    })
  })

  describe('by a grant', () => {
    test('that has expired asks for another, and is stored', async () => {
      const { port } = await behind({ buffering: true })
      const wish = ({ reason }: GrantRequest) =>
        reason === 'send' ? { ageMs: MINUTE_MS, expiresSec: 5 } : {}
      const { attempt, asked } = await scene(port, wish, SMALL)
      expect(await attempt()).toBeUndefined()
      expect(asked.slice(0, 2)).toEqual(['PUT', 'PUT again'])
    })

    // The store refuses before it has read the body; the proxy, still sending, may answer 502 in its place.
    test('that has expired is stored by the second attempt where the proxy may hide the refusal', async () => {
      const { port } = await behind({ buffering: true })
      let signed = 0
      const { attempt } = await scene(port, () =>
        (signed += 1) === 1 ? { ageMs: MINUTE_MS, expiresSec: 5 } : {},
      )
      const first = await attempt()
      if (first !== undefined) expect(first).toMatchObject({ code: 'server-error', class: 'transient' })
      expect(await attempt()).toBeUndefined()
    })

    test('of a signer whose clock is an hour behind asks for one other, and waits for a person', async () => {
      const { port } = await behind({ buffering: true })
      const { attempt, asked } = await scene(port, () => ({ ageMs: 60 * MINUTE_MS }), SMALL)
      expect(await attempt()).toMatchObject({ code: 'sign-in-needed', class: 'blocked' })
      expect(asked).toEqual(['PUT', 'PUT again'])
    })

    test.each([60, -60])('signed %i minutes ago, in headers, is told as a wrong clock', async (minutes) => {
      const { port } = await behind({ buffering: true })
      const wish = { ageMs: minutes * MINUTE_MS, sign: signHeaders }
      const { attempt } = await scene(port, () => wish, SMALL)
      const error = await attempt()
      expect(error).toMatchObject({ code: 'sign-in-needed' })
      expect(String(error)).toContain('RequestTimeTooSkewed: the clock of the signer or the store is wrong')
    })

    test('with another secret is told by the store’s code', async () => {
      const { port } = await behind({ buffering: true })
      const sign: typeof presign = ({ keyId }, options) => presign({ keyId, secret: 'another' }, options)
      const { attempt } = await scene(port, () => ({ sign }), SMALL)
      expect(String(await attempt())).toContain('SignatureDoesNotMatch')
    })
  })
})
