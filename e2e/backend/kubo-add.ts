import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { Bytes, Exchange, Reply } from './exchange.ts'
import { kuboError } from './kubo-error.ts'
import { BadForm, formParts } from './multipart.ts'
import type { Pins } from './pins.ts'
import { parseCid, type CidParameters, type UnixfsStore } from './unixfs-store.ts'

/**
 * `/api/v0/add`: store the files of a form, answer with a line of JSON for each.
 *
 * A file is pinned once all of its blocks are on disk and its end was seen in the form, never before.
 * The file's name, if it is a CID, serves as the request's key until the true one is known.
 */
export async function add(exchange: Exchange, store: UnixfsStore, pins: Pins): Promise<Reply> {
  const { query, record } = exchange
  const parameters = cidParameters(query)
  if (typeof parameters === 'string') return kuboError(parameters)
  const wanted = { pin: flag(query, 'pin', true), onlyHash: flag(query, 'only-hash', false) }
  const progress = flag(query, 'progress', false)

  const lines: string[] = []
  try {
    for await (const { filename, content } of formParts(exchange.headers['content-type'], exchange.body)) {
      const named = filename === undefined ? undefined : parseCid(filename)
      const sentBefore = named !== undefined && pins.has(named)
      if (named !== undefined) record.update({ key: named.toString(), duplicate: sentBefore })
      const told = progress ? tellProgress(content, filename ?? '', lines) : content
      const { cid, size } = wanted.onlyHash
        ? await store.addressOf(told, parameters)
        : await store.add(told, parameters)
      if (wanted.pin && !wanted.onlyHash) {
        const changed = await pins.add(cid)
        record.update({ changed: record.entry.changed || changed, duplicate: !changed })
      }
      const Hash = cid.toString()
      record.update({ key: Hash })
      lines.push(JSON.stringify({ Name: filename || Hash, Hash, Size: String(size) }))
    }
  } catch (error) {
    if (error instanceof BadForm) return kuboError(error.message, 400)
    throw error
  }
  if (lines.length === 0) return kuboError('file argument "path" is required', 400)
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-chunked-output': '1' },
    body: streamLines(lines),
  }
}

/** An answer to `add` with a valid CID that is not the content's; nothing is stored. */
export async function lieAboutAdd(exchange: Exchange): Promise<Reply> {
  const hash = createHash('sha256').update('a lie about ')
  for await (const piece of exchange.body) hash.update(piece)
  const Hash = CID.createV1(0x55, createDigest(0x12, hash.digest())).toString()
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: `${JSON.stringify({ Name: Hash, Hash, Size: '1' })}\n`,
  }
}

/** Kubo's parameters and defaults, or why they cannot be honoured. */
function cidParameters(query: URLSearchParams): CidParameters | string {
  const version = query.get('cid-version') ?? '0'
  if (version !== '0' && version !== '1') return `unknown CID version: ${version}`
  const cidVersion = version === '1' ? 1 : 0
  const leafBytes = /^size-([1-9][0-9]{0,7})$/.exec(query.get('chunker') ?? 'size-262144')?.[1]
  if (leafBytes === undefined || Number(leafBytes) > 2 ** 21) {
    return `unrecognized chunker option: ${query.get('chunker')}`
  }
  const maxLinks = Number(query.get('max-file-links') ?? 174)
  if (!Number.isInteger(maxLinks) || maxLinks < 2) return 'max-file-links must be at least 2'
  const hash = query.get('hash') ?? 'sha2-256'
  if (hash !== 'sha2-256') return `unrecognized hash function: ${hash}`
  for (const unsupported of ['trickle', 'inline', 'nocopy', 'wrap-with-directory']) {
    if (flag(query, unsupported, false)) return `this store does not support ${unsupported}`
  }
  const rawLeaves = flag(query, 'raw-leaves', cidVersion === 1)
  return { cidVersion, rawLeaves, leafBytes: Number(leafBytes), maxLinks }
}

function flag(query: URLSearchParams, name: string, absent: boolean): boolean {
  const value = query.get(name)
  return value === null ? absent : value === '' || value === 'true' || value === '1'
}

const PROGRESS_BYTES = 262_144

async function* tellProgress(content: Bytes, Name: string, lines: string[]): Bytes {
  let Bytes = 0
  let told = 0
  for await (const piece of content) {
    Bytes += piece.byteLength
    if (Bytes - told >= PROGRESS_BYTES) {
      lines.push(JSON.stringify({ Name, Bytes }))
      told = Bytes
    }
    yield piece
  }
  if (Bytes > told) lines.push(JSON.stringify({ Name, Bytes }))
}

async function* streamLines(lines: readonly string[]): Bytes {
  for (const line of lines) yield Buffer.from(`${line}\n`)
}
