import { drain, type Exchange, type Reply, type Service } from './exchange.ts'
import { flipped } from './flipped.ts'
import { parseCid, type UnixfsStore } from './unixfs-store.ts'

/** `GET /ipfs/CID`: a stored file, whole or one range of it (RFC 9110 §14). 404 at once if it is not here. */
export function gatewayService(store: UnixfsStore): Service {
  const perform = async (exchange: Exchange, honest: boolean): Promise<Reply> => {
    await drain(exchange.body)
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
      return { status: 405, headers: { allow: 'GET, HEAD' }, body: 'Method Not Allowed\n' }
    }
    const cid = parseCid(exchange.path)
    if (cid === undefined) return { status: 400, body: 'invalid path: not a CID\n' }
    exchange.record.update({ key: cid.toString() })
    const file = await store.open(cid)
    if (file === undefined) return { status: 404, body: `${cid} is not in this store\n` }

    const headers = {
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      etag: `"${cid}"`,
      'x-ipfs-path': `/ipfs/${cid}`,
      // As gateways do: an address never means other content.
      'cache-control': 'public, max-age=29030400, immutable',
    }
    const range = rangeOf(exchange.headers.range, file.sizeBytes)
    if (range === 'unsatisfiable') {
      return { status: 416, headers: { ...headers, 'content-range': `bytes */${file.sizeBytes}` } }
    }
    const { from, length } = range ?? { from: 0, length: file.sizeBytes }
    const content = file.content(from, length)
    const partial =
      range === undefined
        ? undefined
        : { 'content-range': `bytes ${from}-${from + length - 1}/${file.sizeBytes}` }
    return {
      status: range === undefined ? 200 : 206,
      headers: { ...headers, ...partial, 'content-length': String(length) },
      body: honest ? content : flipped(content),
    }
  }
  return {
    name: 'gateway',
    handle: (exchange) => perform(exchange, true),
    lie: (exchange) => perform(exchange, false),
  }
}

/** A single byte range; undefined means the whole (also for forms that we do not serve, as RFC 9110 allows). */
function rangeOf(header: string | undefined, sizeBytes: number) {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  const from = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1)
  if (from >= end) return 'unsatisfiable'
  return { from, length: end - from }
}
