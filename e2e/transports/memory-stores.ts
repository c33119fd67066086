import { createHash } from 'node:crypto'
import { contentAddress } from '../../src/evidence/cid.ts'
import { ipfs } from '../../sw/adapters/transports/ipfs.ts'
import { pinata } from '../../sw/adapters/transports/pinata.ts'
import { presignedPut } from '../../sw/adapters/transports/put.ts'
import { resumable } from '../../sw/adapters/transports/resumable.ts'
import { tus } from '../../sw/adapters/transports/tus.ts'
import type { Transport } from '../../sw/ports/transport.ts'
import type { VariantName } from './variants.ts'

// A store of each kind in memory, behind a `fetch` of its own: a whole engine can be run against it on a virtual clock.

/** What a request is for. */
export type Step = 'options' | 'create' | 'send' | 'ask' | 'read' | 'discard'

export interface Asked {
  readonly step: Step
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  /** The object's content, of what sends some. */
  readonly content: Uint8Array<ArrayBuffer>
  /** The object's name, its content address. */
  readonly key: string
}

/** Instead of the store's own answer, which `honest` gives, with its effect. `cut`: a browser shows no answer at all. */
export type Rude = (asked: Asked, honest: () => Promise<Response>) => Rudeness | Promise<Rudeness>
type Rudeness = Response | 'cut' | undefined

export interface MemoryStore {
  /** A transport as a new worker has it. */
  transport(): Transport
  readonly fetch: typeof fetch
  /** May be changed at any time. */
  rude: Rude
  readonly seen: Asked[]
  /** How many bytes of an object came, in copies of it. */
  copies(key: string, sizeBytes: number): number
  /** What a reader finds. */
  readonly stored: ReadonlyMap<string, Uint8Array>
}

interface Protocol {
  transport(): Transport
  /** Which request this is, and of what. */
  read(request: Raw): Promise<Pick<Asked, 'step' | 'key'> & Partial<Pick<Asked, 'content'>>>
  answer(asked: Asked): Promise<Response>
}

interface Raw {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: BodyInit | null
}

const HOST = 'https://store.example'
const NONE = new Uint8Array()
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64')
const reply = (status: number, headers: Record<string, string> = {}, body: BodyInit | null = null) =>
  new Response([101, 204, 205, 304].includes(status) ? null : body, { status, headers })
const replyJson = (value: unknown, status = 200) =>
  reply(status, { 'content-type': 'application/json' }, JSON.stringify(value))
const lastOf = ({ pathname }: URL) => pathname.split('/').at(-1) ?? ''

/** A store of this kind. */
export function memoryStore(variant: VariantName): MemoryStore {
  const stored = new Map<string, Uint8Array<ArrayBuffer>>()
  const protocol = PROTOCOLS[variant](stored)
  const store: MemoryStore = {
    transport: () => protocol.transport(),
    rude: () => undefined,
    seen: [],
    stored,
    copies: (key, sizeBytes) =>
      store.seen.reduce((sum, asked) => sum + (asked.key === key ? asked.content.length : 0), 0) / sizeBytes,
    async fetch(input, init = {}) {
      let url = new URL(input as string)
      let { method = 'GET' } = init
      for (let hops = 0; hops <= 20; hops += 1) {
        init.signal?.throwIfAborted()
        const headers = new Headers(init.headers)
        const raw: Raw = { method, url, headers, body: init.body ?? null }
        const asked: Asked = { method, url, headers, content: NONE, ...(await protocol.read(raw)) }
        store.seen.push(asked)
        const answer =
          (await store.rude(asked, () => protocol.answer(asked))) ?? (await protocol.answer(asked))
        if (answer === 'cut') throw new TypeError('Failed to fetch')
        const leadsTo = answer.headers.get('location')
        if (Math.floor(answer.status / 100) !== 3 || init.redirect === 'manual' || leadsTo === null)
          return Object.defineProperty(answer, 'url', { value: url.href })
        url = new URL(leadsTo, url)
        if (answer.status === 303) method = 'GET'
        if (url.host !== 'store.example') throw new TypeError('Failed to fetch')
      }
      throw new TypeError('Failed to fetch')
    },
  }
  return store
}

type Stored = Map<string, Uint8Array<ArrayBuffer>>

const bytesOf = async (body: BodyInit | null): Promise<Uint8Array<ArrayBuffer>> =>
  body === null
    ? NONE
    : body instanceof Blob
      ? new Uint8Array(await body.arrayBuffer())
      : new Uint8Array(body as Uint8Array<ArrayBuffer>)

async function fileIn(body: BodyInit | null): Promise<{ key: string; content: Uint8Array<ArrayBuffer> }> {
  const file = (body as FormData).get('file') as File
  return { key: file.name, content: await bytesOf(file) }
}

function ofIpfs(stored: Stored): Protocol {
  return {
    transport: () => ipfs({ endpoint: HOST }),
    read: async ({ url, body }) =>
      body === null
        ? { step: 'ask', key: url.searchParams.get('arg') ?? '' }
        : { step: 'send', ...(await fileIn(body)) },
    async answer({ step, key, content }) {
      if (step === 'ask')
        return stored.has(key)
          ? replyJson({ Keys: { [key]: { Type: 'recursive' } } })
          : replyJson({ Message: `path '${key}' is not pinned`, Code: 0, Type: 'error' }, 500)
      const address = await contentAddress(content)
      stored.set(address, content)
      return replyJson({ Name: key, Hash: address, Size: `${content.length}` })
    },
  }
}

const ofPut =
  (tellsChecksum: boolean) =>
  (stored: Stored): Protocol => ({
    transport: () =>
      presignedPut({
        grant: async ({ method, cid }) => ({ url: `${HOST}/${cid}?signed-for=${method}` }),
      }),
    read: async ({ method, url, body }) => ({
      step: method === 'PUT' ? 'send' : method === 'HEAD' ? 'ask' : 'read',
      key: lastOf(url),
      content: await bytesOf(body),
    }),
    async answer({ step, key, content }) {
      if (step === 'send') stored.set(key, content)
      const held = stored.get(key)
      if (!held) return reply(404, {}, '<Error><Code>NoSuchKey</Code></Error>')
      const headers = {
        'content-length': `${held.length}`,
        ...(tellsChecksum && { 'x-amz-checksum-sha256': sha256(held) }),
      }
      return reply(200, headers, step === 'read' ? held : null)
    },
  })

interface Partly {
  readonly key: string
  readonly sizeBytes: number
  content: Uint8Array<ArrayBuffer>
}

const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

const ofTus =
  (checksums: boolean) =>
  (stored: Stored): Protocol => {
    const uploads = new Map<string, Partly>()
    const at = (url: URL) => uploads.get(lastOf(url))
    return {
      transport: () => tus({ endpoint: `${HOST}/files` }),
      async read({ method, url, headers, body }) {
        const steps: Record<string, Step> = {
          OPTIONS: 'options',
          POST: 'create',
          PATCH: 'send',
          HEAD: 'ask',
          DELETE: 'discard',
        }
        const named = /filename (\S+?)(,|$)/.exec(headers.get('upload-metadata') ?? '')?.[1]
        const key = named === undefined ? (at(url)?.key ?? '') : atob(named)
        return { step: steps[method] ?? 'read', key, content: await bytesOf(body) }
      },
      async answer({ step, key, url, headers, content }) {
        if (step === 'options')
          return reply(204, {
            'tus-version': '1.0.0',
            ...(checksums && { 'tus-checksum-algorithm': 'sha1,sha256' }),
          })
        if (step === 'create') {
          const id = `u${uploads.size + 1}`
          uploads.set(id, { key, sizeBytes: Number(headers.get('upload-length')), content: NONE })
          return reply(201, { location: `/files/${id}` })
        }
        const upload = at(url)
        if (!upload) return reply(404)
        if (step === 'discard') uploads.delete(lastOf(url))
        if (step === 'read') return checksums ? reply(405) : reply(200, {}, upload.content)
        if (step === 'send') {
          if (Number(headers.get('upload-offset')) !== upload.content.length) return reply(409)
          upload.content = joined(upload.content, content)
          if (upload.content.length === upload.sizeBytes) stored.set(upload.key, upload.content)
        }
        return reply(step === 'ask' ? 200 : 204, {
          'upload-offset': `${upload.content.length}`,
          'upload-length': `${upload.sizeBytes}`,
        })
      },
    }
  }

const ofResumable =
  (digests: boolean) =>
  (stored: Stored): Protocol => {
    const uploads = new Map<string, Partly & { complete: boolean }>()
    const at = (url: URL) => uploads.get(lastOf(url))
    return {
      transport: () =>
        resumable({
          endpoint: `${HOST}/files`,
          ...(!digests && { readUrl: ({ cid }) => `${HOST}/read/${cid}` }),
        }),
      async read({ method, url, headers, body }) {
        const isReading = url.pathname.startsWith('/read/')
        const steps: Record<string, Step> = { POST: 'create', PATCH: 'send', HEAD: 'ask' }
        const named = /filename="(\S+)"/.exec(headers.get('content-disposition') ?? '')?.[1]
        const key = named ?? (isReading ? lastOf(url) : (at(url)?.key ?? ''))
        return { step: steps[method] ?? 'read', key, content: await bytesOf(body) }
      },
      async answer({ step, key, url, headers, content }) {
        if (url.pathname.startsWith('/read/')) {
          const held = stored.get(key)
          return held ? reply(200, {}, step === 'read' ? held : null) : reply(404)
        }
        if (step === 'create') {
          const id = `u${uploads.size + 1}`
          const sizeBytes = Number(headers.get('upload-length'))
          uploads.set(id, { key, sizeBytes, content: NONE, complete: false })
          return reply(201, { location: `/files/${id}`, 'upload-complete': '?0' })
        }
        const upload = at(url)
        if (!upload) return reply(404)
        if (step === 'send') {
          const offset = { 'upload-complete': '?0', 'upload-offset': `${upload.content.length}` }
          if (Number(headers.get('upload-offset')) !== upload.content.length) return reply(409, offset)
          upload.content = joined(upload.content, content)
          upload.complete = headers.get('upload-complete') === '?1'
          if (upload.complete) stored.set(upload.key, upload.content)
        }
        return reply(step === 'send' && upload.complete ? 200 : 204, {
          'upload-complete': upload.complete ? '?1' : '?0',
          'upload-offset': `${upload.content.length}`,
          'upload-length': `${upload.sizeBytes}`,
          ...(digests && upload.complete && { 'repr-digest': `sha-256=:${sha256(upload.content)}:` }),
        })
      },
    }
  }

const ofPinata =
  (how: 'modern' | 'legacy' | 'signed') =>
  (stored: Stored): Protocol => {
    const files = new Map<string, { cid: string; name: string; size: number }>()
    const addressOf = (key: string) => (how === 'legacy' ? `bafylegacy${key.slice(-40)}` : key)
    const bases = { uploads: HOST, api: HOST, gateway: HOST }
    return {
      transport: () =>
        pinata(
          how === 'signed'
            ? { ...bases, signUpload: async () => `${HOST}/signed` }
            : { ...bases, authorize: async () => ({ authorization: 'Bearer 1' }) },
        ),
      async read({ method, url, body }) {
        if (method === 'POST') return { step: 'send', ...(await fileIn(body)) }
        const key = url.searchParams.get('name') ?? url.searchParams.get('cid') ?? lastOf(url)
        const isRead = url.pathname.startsWith('/ipfs/') && method === 'GET'
        return { step: isRead ? 'read' : 'ask', key }
      },
      async answer({ step, key, url, content }) {
        if (step === 'send') {
          const cid = addressOf(await contentAddress(content))
          stored.set(key, content)
          files.set(cid, { cid, name: key, size: content.length })
          return replyJson({ data: { id: '1', ...files.get(cid) } })
        }
        if (url.pathname.startsWith('/ipfs/')) {
          const file = files.get(key)
          return file ? reply(200, {}, step === 'read' ? (stored.get(file.name) ?? null) : null) : reply(404)
        }
        const found = [...files.values()].filter(({ cid, name }) =>
          url.searchParams.has('cid') ? cid === key : name === key,
        )
        return replyJson({ data: { files: found.length > 0 ? found : null, next_page_token: '' } })
      },
    }
  }

const PROTOCOLS: Readonly<Record<VariantName, (stored: Stored) => Protocol>> = {
  ipfs: ofIpfs,
  tus: ofTus(true),
  'tus-plain': ofTus(false),
  resumable: ofResumable(true),
  'resumable-mute': ofResumable(false),
  put: ofPut(true),
  'put-mute': ofPut(false),
  pinata: ofPinata('modern'),
  'pinata-legacy': ofPinata('legacy'),
  'pinata-signed': ofPinata('signed'),
}

/** The variants, in the order of their transports. */
export const VARIANTS = Object.keys(PROTOCOLS) as VariantName[]
