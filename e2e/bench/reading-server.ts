import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { collect } from '../backend/exchange.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { bundle } from '../bundle.ts'
import { hex } from '../second-implementation/bytes.ts'
import { timeOfBlock } from '../second-implementation/evidence-world.ts'
import { REGISTRY, startFakeNode, type FakeLog } from '../second-implementation/fake-node.ts'
import { signedHeadBytes } from '../second-implementation/recording.ts'
import { publish, type RecordingOptions } from './published-recording.ts'

// A process of its own: node and gateways of one recording, each answer a round trip late.

export interface ServerOptions extends RecordingOptions {
  readonly roundTripMs: number
  /** Of each answer of a gateway; 0: as fast as it goes. */
  readonly bytesPerSec: number
  /** Whether each gateway has a page at `/`, which reads from there in a browser. */
  readonly hasPage?: boolean | 'first-frame'
  /** Whether the node tells the times of blocks with the logs, as geth (from 1.16) and anvil do. */
  readonly logTimes: boolean
}

export interface Served {
  readonly rpcUrl: string
  readonly registry: string
  readonly name: string
  readonly groupKey: string
  readonly pages: number
  readonly plaintextBytes: number
  readonly gateways: Readonly<Record<GatewayKind, string>>
  readonly keys: readonly { readonly key: string; readonly iv: string; readonly cid: string }[]
}

/** `six` and `other` serve as many requests at a time as a browser sends one host over HTTP/1.1; `slow` has 1 % of the speed. */
export type GatewayKind = 'good' | 'six' | 'other' | 'dead' | 'lying' | 'slow'

/** What a page in a browser is told, in its URL, and what it tells. */
export interface PageWanted {
  readonly name: string
  readonly groupKey: string
  readonly registry: string
  /** Without a chain: by the newest head that the gateway has. */
  readonly byHead?: boolean
}

/** What the page tells in which the demo's reader opens one. */
export interface FramePage {
  readonly frameMs: number
  /** Until all of its list was checked, while its pieces were read. */
  readonly wholeMs: number
  /** How many of its pieces were checked by then. */
  readonly piecesByThen: number
  /** Of the page's thread, over 50 ms, until then. */
  readonly longTasks: number
  readonly longestTaskMs: number
}

export interface PageMeasured {
  readonly bytes: number
  readonly openMs: number
  readonly readMs: number
}

const options = JSON.parse(process.argv[2]!) as ServerOptions
const pageName = options.hasPage === 'first-frame' ? 'first-frame-page.ts' : 'reading-page.ts'
const page = join(repositoryRoot(), 'e2e', 'bench', pageName)
const script = options.hasPage ? await bundle(page) : ''
const published = await publish(options)
const node = await startFakeNode(published.world)
node.newest = 1_000_000
node.onRpc = async ({ method }, result) => {
  await sleep(options.roundTripMs)
  if (method !== 'eth_getLogs' || !options.logTimes) return result
  return (result as FakeLog[]).map((log) =>
    Object.assign(log, {
      blockTimestamp: `0x${(timeOfBlock(Number(log.blockNumber)) / 1_000).toString(16)}`,
    }),
  )
}

async function gateway(kind: GatewayKind): Promise<string> {
  let now = 0
  const waiting: (() => void)[] = []
  const most = kind === 'six' || kind === 'other' ? 6 : Infinity
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const isObject = path.startsWith('/ipfs/') || path.startsWith('/heads/')
    void (isObject ? serve(path, response) : site(request, response))
  })
  async function serve(path: string, response: ServerResponse) {
    if (now >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    now += 1
    await sleep(options.roundTripMs)
    const isHead = path.startsWith('/heads/')
    const bytes = isHead
      ? signedHeadBytes(published.world.witnessed.at(-1)!.head)
      : published.object(path.slice(6))
    if (bytes === undefined) response.writeHead(404).end()
    else if (kind === 'lying') response.end(Buffer.alloc(bytes.length, 1))
    else await send(response, bytes, options.bytesPerSec / (kind === 'slow' ? 100 : 1))
    now -= 1
    waiting.shift()?.()
  }
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  if (kind === 'dead') server.close()
  return `http://127.0.0.1:${port}`
}

/** What a page in a browser needs beside objects, on their origin. */
async function site(request: IncomingMessage, response: ServerResponse) {
  const { pathname } = new URL(request.url ?? '/', 'http://site')
  const body = await collect(request)
  if (pathname === '/rpc') {
    const answer = await fetch(node.rpcUrl, { method: 'POST', body: Uint8Array.from(body) })
    return response.end(await answer.text())
  }
  if (pathname === '/measured') process.send!(JSON.parse(body.toString()))
  if (pathname === '/page.js') return response.setHeader('content-type', 'text/javascript').end(script)
  response
    .setHeader('content-type', 'text/html')
    .end('<!doctype html><title>Reading</title><body><script src="/page.js"></script>')
}

const PIECE_MS = 10
async function send(response: ServerResponse, bytes: Buffer, bytesPerSec: number) {
  if (bytesPerSec > 0) {
    const piece = Math.max(1, Math.round((bytesPerSec * PIECE_MS) / 1_000))
    for (let at = 0; at + piece < bytes.length && !response.destroyed; at += piece) {
      response.write(bytes.subarray(at, at + piece))
      await sleep(PIECE_MS)
    }
    const whole = Math.floor((bytes.length - 1) / piece) * piece
    response.end(bytes.subarray(whole))
  } else response.end(bytes)
}

const kinds: readonly GatewayKind[] = ['good', 'six', 'other', 'dead', 'lying', 'slow']
const gateways = Object.fromEntries(
  await Promise.all(kinds.map(async (kind) => [kind, await gateway(kind)] as const)),
) as Record<GatewayKind, string>
const served: Served = {
  rpcUrl: node.rpcUrl,
  registry: REGISTRY,
  name: hex(published.world.name),
  groupKey: hex(published.world.group.privateKey),
  pages: published.pages,
  plaintextBytes: published.plaintextBytes,
  gateways,
  keys: published.keys.map(({ key, iv, cid }) => ({ key: hex(key), iv: hex(iv), cid })),
}
process.send!(served)
process.once('disconnect', () => process.exit())
