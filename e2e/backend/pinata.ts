import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { writeAtomically } from './atomic-file.ts'
import { collect, drain, json, streamOf, type Exchange, type Reply, type Service } from './exchange.ts'
import { BadForm, formParts } from './multipart.ts'
import type { Tokens } from './tokens.ts'
import { MODERN_CID, parseCid, type CidParameters, type UnixfsStore } from './unixfs-store.ts'

export interface PinataOptions {
  readonly folder: string
  /** Its tokens serve as Pinata's JWTs. */
  readonly tokens: Tokens
  readonly store: UnixfsStore
}

export interface PinataControl {
  /** Parameters under which later uploads get their address: ours, or those of old with leaves of 256 KiB. */
  addressAs(profile: 'modern' | 'legacy'): void
}

/** A file as Pinata lists it. */
interface PinataFile {
  readonly id: string
  readonly name: string
  readonly cid: string
  readonly size: number
  readonly network: string
  readonly created_at: string
}

const PROFILES = {
  modern: MODERN_CID,
  legacy: { ...MODERN_CID, leafBytes: 256 * 1024, maxLinks: 174 },
} satisfies Record<string, CidParameters>

/**
 * Pinata's v3 files API under `/pinata` (docs.pinata.cloud/api-reference): `POST /v3/files`, `POST /v3/files/sign` and
 * the URL that it gives, `GET /v3/files/public?cid=&name=`. Its content is read at the gateway.
 */
export async function pinataService({ folder, tokens, store }: PinataOptions) {
  let profile: keyof typeof PROFILES = 'modern'
  const files: PinataFile[] = []
  for (const name of await readdir(folder).catch(() => []))
    if (name.endsWith('.json'))
      files.push(JSON.parse(await readFile(join(folder, name), 'utf8')) as PinataFile)

  async function perform(exchange: Exchange, honest: boolean): Promise<Reply> {
    const { method, path, query, headers, body } = exchange
    const route = `${method} ${path.slice('/pinata'.length)}`
    const isAuthorized = tokens.accepts(headers.authorization)
    const signed = route === 'POST /signed' && isSigned(query)
    if (!isAuthorized && !signed) {
      await drain(body)
      return json(401, { error: 'Not Authorized' })
    }
    switch (route) {
      case 'POST /v3/files':
      case 'POST /signed':
        return honest ? upload(exchange) : lieAboutUpload(exchange)
      case 'POST /v3/files/sign': {
        const { date, expires } = JSON.parse((await collect(body)).toString('utf8')) as Record<string, number>
        const parts = new URLSearchParams({
          'X-Date': String(date),
          'X-Expires': String(expires),
          'X-Method': 'POST',
        })
        parts.set('X-Signature', tokens.sign(parts.toString()))
        return json(200, { data: `http://${headers.host}/pinata/signed?${parts}` })
      }
      case 'GET /v3/files/public': {
        await drain(body)
        const found = files.filter((file) =>
          (['cid', 'name'] as const).every((field) => [null, file[field]].includes(query.get(field))),
        )
        return json(200, { data: { files: found.toReversed(), next_page_token: '' } })
      }
      default:
        await drain(body)
        return json(404, { error: 'Not Found' })
    }
  }

  function isSigned(query: URLSearchParams): boolean {
    const parts = new URLSearchParams(query)
    const signature = parts.get('X-Signature') ?? ''
    parts.delete('X-Signature')
    const until = (Number(parts.get('X-Date')) + Number(parts.get('X-Expires'))) * 1000
    return tokens.verifies(signature, parts.toString()) && Date.now() < until
  }

  async function upload({ headers, body, record }: Exchange): Promise<Reply> {
    let stored: Pick<PinataFile, 'name' | 'cid' | 'size'> | undefined
    try {
      for await (const { filename, content } of formParts(headers['content-type'], body)) {
        if (filename === undefined) continue
        record.update({ key: parseCid(filename)?.toString() })
        const bytes = await collect(content)
        const { cid } = await store.add(streamOf(bytes), PROFILES[profile])
        stored = { name: filename, cid: cid.toString(), size: bytes.byteLength }
      }
    } catch (error) {
      if (error instanceof BadForm) return json(400, { error: error.message })
      throw error
    }
    if (stored === undefined) return json(400, { error: 'file is required' })
    const { cid } = stored
    const there = files.some((file) => file.cid === cid)
    const file: PinataFile = {
      id: randomUUID(),
      ...stored,
      network: 'public',
      created_at: new Date().toISOString(),
    }
    await writeAtomically(join(folder, `${file.id}.json`), JSON.stringify(file))
    files.push(file)
    // Under the name that its sender gave it, if that is an address: under other parameters it has two.
    record.update({ key: record.entry.key ?? cid, changed: !there, duplicate: there })
    return json(200, { data: { ...file, ...(there && { is_duplicate: true }) } })
  }

  return {
    service: {
      name: 'pinata',
      async prepare(exchange) {
        exchange.record.update({ key: exchange.query.get('cid') ?? exchange.query.get('name') ?? undefined })
        return exchange
      },
      handle: (exchange) => perform(exchange, true),
      lie: (exchange) => perform(exchange, false),
    } satisfies Service,
    control: {
      addressAs: (wanted) => {
        profile = wanted
      },
    } satisfies PinataControl,
  }
}

async function lieAboutUpload({ body }: Exchange): Promise<Reply> {
  const hash = createHash('sha256').update('a lie about ')
  for await (const piece of body) hash.update(piece)
  const cid = CID.createV1(0x55, createDigest(0x12, hash.digest())).toString()
  return json(200, { data: { id: randomUUID(), name: cid, cid, size: 1 } })
}
