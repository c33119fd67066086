import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryStore } from '../../../e2e/transports/memory-stores.ts'
import { freshObject } from '../../../e2e/transports/objects.ts'
import type { VariantName } from '../../../e2e/transports/variants.ts'
import type { Transport } from '../../ports/transport.ts'
import type { Authorize } from '../../http/with-auth.ts'
import { ipfs } from './ipfs.ts'
import { pinata } from './pinata.ts'
import { resumable } from './resumable.ts'
import { tus } from './tus.ts'

// Promise 5 of docs/guarantees.md. A token that has expired is told in many ways, and the app's hook is asked for another in
// each of them; once, so that a refusal about something else costs one more request.

afterEach(() => void vi.unstubAllGlobals())

const HOST = 'https://store.example'
const STORES: readonly (readonly [VariantName, (authorize: Authorize) => Transport])[] = [
  ['tus', (authorize) => tus({ endpoint: `${HOST}/files`, authorize })],
  ['resumable', (authorize) => resumable({ endpoint: `${HOST}/files`, authorize })],
  ['ipfs', (authorize) => ipfs({ endpoint: HOST, authorize })],
  ['pinata', (authorize) => pinata({ uploads: HOST, api: HOST, authorize })],
]

const json = (value: unknown) => JSON.stringify(value)
/** Of whatever store. */
const REFUSALS: readonly (readonly [title: string, status: number, body: string])[] = [
  ['401', 401, ''],
  ['Kubo: 403', 403, 'Kubo RPC Access Denied: Please provide a valid authorization token'],
  ['AWS API Gateway: 403', 403, json({ message: 'The security token included in the request is expired' })],
]
/** Of stores that name their uploads. */
const BY_400: typeof REFUSALS = [
  [
    'Supabase: 400',
    400,
    json({ statusCode: '403', error: 'Unauthorized', message: '"exp" claim timestamp check failed' }),
  ],
  ['Supabase, older: 400', 400, json({ statusCode: '400', error: 'Invalid JWT', message: 'jwt expired' })],
  ['400 in words', 400, 'Your token has expired.'],
]
const ROWS = STORES.flatMap(([variant, make]) =>
  REFUSALS.concat(/tus|resumable/.test(variant) ? BY_400 : []).map(
    ([title, status, body]) => [variant, title, status, body, make] as const,
  ),
)

/** One upload, whose token is good from the `renewed`th `rejected` on. */
async function scene(
  variant: VariantName,
  make: (authorize: Authorize) => Transport,
  refusal: () => Response,
  renewed: number,
) {
  const store = memoryStore(variant)
  vi.stubGlobal('fetch', store.fetch)
  store.rude = ({ headers }) => (headers.get('authorization') === 'new' ? undefined : refusal())
  const { upload, bytes, attempt } = await freshObject(1000)
  let rejected = 0
  const transport = make(async ({ reason }) => {
    if (reason === 'rejected') rejected += 1
    return { authorization: rejected >= renewed ? 'new' : 'old' }
  })
  return {
    rejected: () => rejected,
    isThere: () => store.stored.get(upload.cid)?.length === 1000,
    copies: () => store.copies(upload.cid, 1000),
    send: () => transport.send(upload, bytes, { kind: 'nothing' }, attempt),
  }
}

describe.each(ROWS)('%s, a token that is refused by %s', (variant, _, status, body, make) => {
  test('is renewed, and the upload goes on', async () => {
    const { send, rejected, isThere } = await scene(variant, make, () => new Response(body, { status }), 1)
    await send()
    expect(rejected()).toBe(1)
    expect(isThere()).toBe(true)
  })

  test('is a sign-in where the new one is refused too, which is asked for once', async () => {
    const { send, rejected, copies } = await scene(
      variant,
      make,
      () => new Response(body, { status }),
      Infinity,
    )
    await expect(send()).rejects.toMatchObject({ code: 'sign-in-needed', class: 'blocked' })
    expect(rejected()).toBe(1)
    expect(copies()).toBeLessThanOrEqual(2)
  })
})

describe.each(STORES)('%s', (variant, make) => {
  test.each([
    [400, 'Unexpected token < in JSON at position 0'],
    [400, 'ERR_UPLOAD_REJECTED: upload creation has been rejected by server'],
    [413, 'Your plan has expired.'],
    [404, 'The upload has expired.'],
    [500, 'jwt expired'],
  ])('asks for no new sign-in after %i “%s”', async (status, body) => {
    const { send, rejected } = await scene(variant, make, () => new Response(body, { status }), 1)
    await expect(send()).rejects.not.toMatchObject({ code: 'sign-in-needed' })
    expect(rejected()).toBe(0)
  })
})

test('a store without a hook is asked once, whatever it refuses', async () => {
  const store = memoryStore('ipfs')
  vi.stubGlobal('fetch', store.fetch)
  store.rude = () => new Response('', { status: 401 })
  const { upload, bytes, attempt } = await freshObject(1000)
  const sent = ipfs({ endpoint: HOST }).send(upload, bytes, { kind: 'nothing' }, attempt)
  await expect(sent).rejects.toMatchObject({ code: 'sign-in-needed' })
  expect(store.copies(upload.cid, 1000)).toBe(1)
})
