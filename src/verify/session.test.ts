import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeFunctionData, encodeFunctionResult, parseAbi, type Hex } from 'viem'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { contentAddress, KUBO_LEGACY_CIDV1 } from '../evidence/cid.ts'
import { groupIdOf, newGroupSecret } from '../evidence/group.ts'
import { importSessionKey, newSessionKey, wrapSessionKey } from '../evidence/keys.ts'
import { manifestRoot, serialiseManifest, type Manifest, type ManifestChunk } from '../evidence/manifest.ts'
import { sessionIdToBytes32 } from '../evidence/registry.ts'
import { sealChunk } from '../evidence/seal.ts'
import type { Cid, SessionId, Sha256Hex } from '../protocol/ids.ts'
import { openSession, VerificationError, type OpenSessionOptions, type VerificationCode } from './index.ts'

const abi = parseAbi([
  'function sessions(bytes32 sessionId) external view returns (address creator, bytes32 merkleRoot, string memory manifestCid, uint256 chunkCount, uint64 createdAt, uint64 updatedAt)',
  'function isContentInGroup(bytes32 sessionId, bytes32 groupId) external view returns (bool)',
])
const REGISTRY = '0x5fbdb2315678afecb367f032d93f642f64180aa3'
const UPLOADER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const SESSION = '1a69cbdf-ed83-4746-8802-9d4528ec55e4' as SessionId
const OTHER_SESSION = '2b69cbdf-ed83-4746-8802-9d4528ec55e4' as SessionId
const OTHER_HASH = 'ab'.repeat(32) as Sha256Hex
const OTHER_GROUP = `0x${OTHER_HASH}`

// The recording: three chunks, index 2 lost, the last one of more than one CID leaf.
const groupSecret = newGroupSecret()
const rawSessionKey = newSessionKey()
const sessionKey = await importSessionKey(rawSessionKey)
const plaintexts = new Map([
  [0, new TextEncoder().encode('first')],
  [1, new Uint8Array()],
  [3, new Uint8Array(1_500_000).map((_, at) => at % 251)],
])
const ciphertexts = new Map<string, Uint8Array>()
const listed: ManifestChunk[] = []
for (const [index, plaintext] of plaintexts) {
  const { ciphertext, ...sealed } = await sealChunk({ sessionKey, index, plaintext: plaintext.buffer })
  ciphertexts.set(sealed.cid, new Uint8Array(ciphertext))
  const times = { capturedAt: 1_770_000_000_000 + index, uploadedAt: 1_770_000_001_000, duration: 10_000 }
  listed.push({ index, size: ciphertext.byteLength, ...sealed, ...times })
}
const wrapped = await wrapSessionKey(rawSessionKey, groupSecret)
const honest: Manifest = {
  version: 1,
  contentId: SESSION,
  sessionId: SESSION,
  uploader: UPLOADER,
  captureStarted: 1_770_000_000_000,
  lastUpdated: 1_770_000_001_000,
  status: 'interrupted',
  merkleRoot: await manifestRoot(listed),
  encryption: { algorithm: 'aes-256-gcm', keyDerivation: 'hkdf-sha256' },
  accessList: { [groupIdOf(groupSecret)]: wrapped },
  chunks: listed,
}

// The world that the verifier meets: a chain node and a gateway, real servers on the loopback.
interface ChainState {
  creator: Hex
  merkleRoot: string
  manifestCid: string
  chunkCount: bigint
  groups: string[]
}
type Handler = (request: IncomingMessage, response: ServerResponse) => void
let chain: ChainState
let content: Map<string, Uint8Array>
let onRpc: Handler | undefined
let onContent: Map<string, Handler>
let asked: string[]

function runCall(data: Hex): Hex {
  const { functionName, args } = decodeFunctionData({ abi, data })
  const known = args[0] === sessionIdToBytes32(SESSION)
  if (functionName === 'isContentInGroup') {
    return encodeFunctionResult({ abi, functionName, result: known && chain.groups.includes(args[1]) })
  }
  const { creator, merkleRoot, manifestCid, chunkCount } = chain
  const nobody = [`0x${'00'.repeat(20)}`, `0x${'00'.repeat(32)}`, '', 0n, 0n, 0n] as const
  return encodeFunctionResult({
    abi,
    functionName,
    result: known ? [creator, `0x${merkleRoot}`, manifestCid, chunkCount, 1n, 2n] : [...nobody],
  })
}

async function serveRpc(request: IncomingMessage, response: ServerResponse) {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const { id, method, params } = JSON.parse(Buffer.concat(pieces).toString()) as {
    id: number
    method: string
    params: [{ to: string; data: Hex }, string]
  }
  expect([method, params[0].to, params[1]]).toEqual(['eth_call', REGISTRY, 'latest'])
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: runCall(params[0].data) }))
}

const server = createServer((request, response) => {
  const path = request.url ?? ''
  asked.push(path)
  if (path.startsWith('/rpc')) {
    if (onRpc) return onRpc(request, response)
    return void serveRpc(request, response)
  }
  const cid = path.replace('/ipfs/', '')
  const handler = onContent.get(cid)
  if (handler) return handler(request, response)
  const bytes = content.get(cid)
  if (bytes === undefined) return response.writeHead(404).end()
  return response.end(bytes)
})
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve)
})
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const options = (changes: Partial<OpenSessionOptions> = {}): OpenSessionOptions => ({
  chain: { rpcUrl: `${base}/rpc/secret-api-key`, registry: REGISTRY },
  gateway: base,
  sessionId: SESSION,
  groupSecret,
  timeoutMs: 240_000,
  ...changes,
})

/** Stores these bytes as the manifest and anchors their address. */
async function anchorBytes(bytes: Uint8Array) {
  chain.manifestCid = await contentAddress(bytes)
  content.set(chain.manifestCid, bytes)
}
/** Publishes the manifest with these changes and nothing else adapted. */
const anchor = (changes: Partial<Manifest>) => anchorBytes(serialiseManifest({ ...honest, ...changes }))
const withChunk = (at: number, changes: Partial<ManifestChunk>) =>
  listed.with(at, { ...(listed[at] as ManifestChunk), ...changes })
/** Publishes these chunks as an uploader would who means them: their own root, anchored. */
async function anchorChunks(chunks: readonly ManifestChunk[]) {
  chain.merkleRoot = await manifestRoot(chunks)
  await anchor({ chunks, merkleRoot: chain.merkleRoot as Sha256Hex })
}
const cidAt = (at: number) => (listed[at] as ManifestChunk).cid
const flipped = (bytes: Uint8Array) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))
const served = (at: number) => ciphertexts.get(cidAt(at)) as Uint8Array

async function failureOf(work: Promise<unknown>): Promise<VerificationError> {
  const thrown: unknown = await work.then(
    () => 'verified',
    (error: unknown) => error,
  )
  if (!(thrown instanceof VerificationError))
    throw new Error(`Expected a VerificationError: ${String(thrown)}`)
  return thrown
}
const openFailure = (changes: Partial<OpenSessionOptions> = {}) => failureOf(openSession(options(changes)))
const readFailure = async (changes: Partial<OpenSessionOptions> = {}) =>
  failureOf((await openSession(options(changes))).readAll())

beforeEach(async () => {
  chain = {
    creator: UPLOADER,
    merkleRoot: honest.merkleRoot,
    manifestCid: '',
    chunkCount: 3n,
    groups: [groupIdOf(groupSecret)],
  }
  content = new Map(ciphertexts)
  onRpc = undefined
  onContent = new Map()
  asked = []
  await anchor({})
})

describe('an untouched session', () => {
  it('gives back every byte, the manifest, the record and the gap', async () => {
    const session = await openSession(options())
    expect(session.manifest).toEqual(honest)
    expect(session.record).toEqual({
      creator: UPLOADER.toLowerCase(),
      merkleRoot: honest.merkleRoot,
      manifestCid: chain.manifestCid,
      chunkCount: 3,
      createdAtMs: 1_000,
      updatedAtMs: 2_000,
    })
    expect(session.missingIndexes).toEqual([2])
    const chunks = await session.readAll()
    expect(
      chunks.map(({ index, capturedAtMs, durationMs }) => ({ index, capturedAtMs, durationMs })),
    ).toEqual(
      listed.map(({ index, capturedAt, duration }) => ({
        index,
        capturedAtMs: capturedAt,
        durationMs: duration,
      })),
    )
    for (const { index, plaintext } of chunks) {
      expect(Buffer.compare(plaintext, plaintexts.get(index) as Uint8Array)).toBe(0)
    }
    expect(Buffer.compare(await session.bytes(), Buffer.concat([...plaintexts.values()]))).toBe(0)
  })

  it('is read chunk by chunk: a chunk that nobody asked for is not fetched', async () => {
    const session = await openSession(options())
    const chunks = session.chunks()
    expect(asked.filter((path) => path.endsWith(cidAt(0)))).toEqual([])
    await chunks.next()
    await chunks.return()
    expect(asked.filter((path) => ciphertexts.has(path.replace('/ipfs/', '')))).toEqual([`/ipfs/${cidAt(0)}`])
  })

  it('tells its progress', async () => {
    const told: string[] = []
    const session = await openSession(
      options({
        gateway: `${base}//`,
        onProgress: ({ step, chunksVerified, chunksTotal }) =>
          told.push(`${step} ${chunksVerified}/${chunksTotal}`),
      }),
    )
    await session.bytes()
    expect(told).toEqual([
      'reading the registry 0/0',
      'fetching the manifest 0/0',
      'checking the manifest 0/0',
      'checking the group 0/3',
      'unwrapping the session key 0/3',
      'fetching a chunk 0/3',
      'opening a chunk 1/3',
      'fetching a chunk 1/3',
      'opening a chunk 2/3',
      'fetching a chunk 2/3',
      'opening a chunk 3/3',
    ])
  })

  it('leaves the caller its secret, and needs it no more once open', async () => {
    const mine = Uint8Array.from(groupSecret)
    const session = await openSession(options({ groupSecret: mine }))
    expect(mine).toEqual(groupSecret)
    mine.fill(0)
    await expect(session.readAll()).resolves.toHaveLength(3)
  })

  it('is read from a store with another CID profile when told which', async () => {
    const chunks = await Promise.all(
      listed.map(async (chunk) => {
        const bytes = ciphertexts.get(chunk.cid) as Uint8Array
        const cid = await contentAddress(bytes, KUBO_LEGACY_CIDV1)
        content.set(cid, bytes)
        return Object.assign({}, chunk, { cid })
      }),
    )
    await anchor({ chunks })
    await expect(
      (await openSession(options({ cidProfile: KUBO_LEGACY_CIDV1 }))).readAll(),
    ).resolves.toHaveLength(3)
    expect(await readFailure()).toMatchObject({ code: 'chunk-address', index: 3 })
  })
})

describe('what is wrong before the chunks', () => {
  interface Case {
    readonly code: VerificationCode
    readonly says: string
    readonly tamper: () => unknown
    readonly call?: Partial<OpenSessionOptions>
  }
  it.each<[title: string, expected: Case]>([
    [
      'a session that nobody registered',
      { code: 'not-registered', says: OTHER_SESSION, tamper: () => {}, call: { sessionId: OTHER_SESSION } },
    ],
    [
      'an anchored address that is none',
      {
        code: 'manifest-address',
        says: '../secret',
        tamper: () => {
          chain.manifestCid = '../secret'
        },
      },
    ],
    [
      'a manifest that is gone',
      { code: 'manifest-missing', says: 'HTTP 404', tamper: () => content.delete(chain.manifestCid) },
    ],
    [
      'a manifest with one bit flipped',
      {
        code: 'manifest-address',
        says: 'as on chain; the ',
        tamper: () => content.set(chain.manifestCid, flipped(serialiseManifest(honest))),
      },
    ],
    [
      'a truncated manifest',
      {
        code: 'manifest-address',
        says: 'the 100 bytes served',
        tamper: () => content.set(chain.manifestCid, serialiseManifest(honest).slice(0, 100)),
      },
    ],
    [
      'an anchored manifest that is no JSON',
      { code: 'manifest-malformed', says: '(root)', tamper: () => anchorBytes(new Uint8Array(10)) },
    ],
    [
      'an anchored manifest with a wrong field',
      {
        code: 'manifest-malformed',
        says: 'chunks[1].iv must be Base64 of 12 bytes; found "short"',
        tamper: () =>
          anchorBytes(
            new TextEncoder().encode(JSON.stringify({ ...honest, chunks: withChunk(1, { iv: 'short' }) })),
          ),
      },
    ],
    [
      'an anchored manifest that skips absurdly many indexes',
      {
        code: 'manifest-malformed',
        says: 'found 4294967293 skipped',
        tamper: () => anchorChunks(withChunk(2, { index: 0xffff_ffff })),
      },
    ],
    [
      'the manifest of another session',
      { code: 'manifest-session', says: OTHER_SESSION, tamper: () => anchor({ sessionId: OTHER_SESSION }) },
    ],
    [
      'another content id',
      { code: 'manifest-session', says: 'contentId', tamper: () => anchor({ contentId: OTHER_SESSION }) },
    ],
    [
      'a chunk left out of the manifest',
      {
        code: 'count',
        says: 'list 3 chunks, as on chain; found 2',
        tamper: () => anchor({ chunks: listed.slice(0, 2) }),
      },
    ],
    [
      'another root on chain',
      {
        code: 'root',
        says: OTHER_HASH,
        tamper: () => {
          chain.merkleRoot = OTHER_HASH
        },
      },
    ],
    [
      'another root in the manifest',
      { code: 'root', says: OTHER_HASH, tamper: () => anchor({ merkleRoot: OTHER_HASH }) },
    ],
    [
      'a shifted capture time',
      {
        code: 'root',
        says: 'Merkle root',
        tamper: () => anchor({ chunks: withChunk(0, { capturedAt: 1 }) }),
      },
    ],
    [
      'a moved index',
      { code: 'root', says: 'Merkle root', tamper: () => anchor({ chunks: withChunk(2, { index: 2 }) }) },
    ],
    [
      'another plaintext hash',
      {
        code: 'root',
        says: 'Merkle root',
        tamper: () => anchor({ chunks: withChunk(1, { plaintextHash: OTHER_HASH }) }),
      },
    ],
    ['another uploader', { code: 'uploader', says: REGISTRY, tamper: () => anchor({ uploader: REGISTRY }) }],
    [
      "another group's secret",
      { code: 'group', says: 'does not bind', tamper: () => {}, call: { groupSecret: newGroupSecret() } },
    ],
    [
      'a group that the chain does not bind',
      {
        code: 'group',
        says: 'does not bind',
        tamper: () => {
          chain.groups = []
        },
      },
    ],
    [
      'a group that the manifest leaves out',
      {
        code: 'group',
        says: 'access list',
        tamper: () => anchor({ accessList: { [OTHER_GROUP]: wrapped } }),
      },
    ],
    [
      'a session key that another secret wrapped',
      {
        code: 'key',
        says: 'does not open',
        tamper: async () =>
          anchor({
            accessList: { [groupIdOf(groupSecret)]: await wrapSessionKey(rawSessionKey, newGroupSecret()) },
          }),
      },
    ],
  ])('is named: %s', async (_, { code, says, tamper, call }) => {
    await tamper()
    const error = await openFailure(call)
    expect(error).toMatchObject({ name: 'VerificationError', code, index: undefined })
    expect(error.message).toContain(says)
  })

  it('is the first of many: mended one by one, each comes to light in its turn', async () => {
    const wrongKey = await wrapSessionKey(rawSessionKey, newGroupSecret())
    const wrong = { accessList: { [groupIdOf(groupSecret)]: wrongKey } }
    const bad = {
      ...wrong,
      sessionId: OTHER_SESSION,
      uploader: REGISTRY,
      chunks: withChunk(1, { capturedAt: 1 }),
    }
    content.set(cidAt(0), flipped(served(0)))
    chain = { ...chain, chunkCount: 9n, groups: [] }
    await anchor(bad)
    const codes: string[] = []
    const look = async () => codes.push((await openFailure()).code)
    const good = content.get(chain.manifestCid) as Uint8Array
    content.set(chain.manifestCid, flipped(good))
    await look()
    await anchor(bad)
    await look()
    await anchor({ ...bad, sessionId: SESSION })
    await look()
    chain.chunkCount = 3n
    await look()
    await anchor({ ...wrong, uploader: REGISTRY })
    await look()
    await anchor(wrong)
    await look()
    chain.groups = Object.keys(honest.accessList)
    await look()
    await anchor({})
    codes.push((await readFailure()).code)
    expect(codes).toEqual([
      'manifest-address',
      'manifest-session',
      'count',
      'root',
      'uploader',
      'group',
      'key',
      'chunk-address',
    ])
  })
})

describe('what is wrong with a chunk', () => {
  interface Case {
    readonly code: VerificationCode
    readonly index: number
    readonly says: string
    readonly tamper: () => unknown
  }
  it.each<[title: string, expected: Case]>([
    [
      'it is gone',
      { code: 'chunk-missing', index: 1, says: 'HTTP 404', tamper: () => content.delete(cidAt(1)) },
    ],
    [
      'one bit flipped',
      {
        code: 'chunk-address',
        index: 3,
        says: cidAt(2),
        tamper: () => content.set(cidAt(2), flipped(served(2))),
      },
    ],
    [
      'served short',
      {
        code: 'chunk-address',
        index: 3,
        says: 'the 1000 bytes served',
        tamper: () => content.set(cidAt(2), served(2).slice(0, 1000)),
      },
    ],
    [
      'served empty',
      {
        code: 'chunk-address',
        index: 0,
        says: 'the 0 bytes',
        tamper: () => content.set(cidAt(0), new Uint8Array()),
      },
    ],
    [
      'another chunk served',
      { code: 'chunk-address', index: 0, says: cidAt(1), tamper: () => content.set(cidAt(0), served(1)) },
    ],
    [
      'listed with another size',
      {
        code: 'chunk-size',
        index: 1,
        says: 'should be 17, found 16',
        tamper: () => anchor({ chunks: withChunk(1, { size: 17 }) }),
      },
    ],
    [
      'listed under the address of other bytes',
      {
        code: 'chunk-encrypted-hash',
        index: 0,
        says: listed[0]?.encryptedHash ?? '',
        tamper: async () => {
          const bytes = flipped(served(0))
          const cid: Cid = await contentAddress(bytes)
          content.set(cid, bytes)
          await anchor({ chunks: withChunk(0, { cid }) })
        },
      },
    ],
    [
      'listed with another IV',
      {
        code: 'chunk-decrypt',
        index: 3,
        says: 'AAAAAAAAAAAAAAAA',
        tamper: () => anchor({ chunks: withChunk(2, { iv: 'AAAAAAAAAAAAAAAA' }) }),
      },
    ],
    [
      'sealed under another session key, and anchored so',
      {
        code: 'chunk-decrypt',
        index: 0,
        says: 'does not open under the session key',
        tamper: async () => {
          const other = await importSessionKey(newSessionKey())
          const plaintext = new TextEncoder().encode('first').buffer
          const { ciphertext, ...sealed } = await sealChunk({ sessionKey: other, index: 0, plaintext })
          content.set(sealed.cid, new Uint8Array(ciphertext))
          await anchorChunks(withChunk(0, sealed))
        },
      },
    ],
    [
      'anchored with a hash that its plaintext never had',
      {
        code: 'chunk-plaintext-hash',
        index: 3,
        says: OTHER_HASH,
        tamper: () => anchorChunks(withChunk(2, { plaintextHash: OTHER_HASH })),
      },
    ],
  ])('is named with its index: %s', async (_, { code, index, says, tamper }) => {
    await tamper()
    const error = await readFailure()
    expect(error).toMatchObject({ code, index })
    expect(error.message).toContain(`Chunk ${index}: `)
    expect(error.message).toContain(says)
  })

  it('comes after the good chunks before it, which are handed out', async () => {
    content.set(cidAt(2), flipped(served(2)))
    const read: number[] = []
    const session = await openSession(options())
    const reading = (async () => {
      for await (const { index } of session.chunks()) read.push(index)
    })()
    expect(await failureOf(reading)).toMatchObject({ code: 'chunk-address', index: 3 })
    expect(read).toEqual([0, 1])
    expect(await failureOf(session.bytes())).toMatchObject({ code: 'chunk-address', index: 3 })
  })
})

describe('servers that do not answer well', () => {
  const TIMEOUT_MS = 200
  // No time goes by for the reader but what a server lets go by: a slow machine is no silent server.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  const silent: Handler = () => void vi.advanceTimersByTime(TIMEOUT_MS)
  const status =
    (code: number): Handler =>
    (_, response) =>
      response.writeHead(code).end('no')
  const cut: Handler = (_, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('some', () => response.destroy())
  }
  const stalling: Handler = (_, response) =>
    response.writeHead(200).write('some', () => vi.advanceTimersByTime(TIMEOUT_MS))
  const endless: Handler = (_, response) => {
    const piece = Buffer.alloc(1024 * 1024)
    const more = () => {
      while (!response.destroyed && response.write(piece));
    }
    response.on('drain', more)
    more()
  }
  const json =
    (value: unknown): Handler =>
    (_, response) =>
      response.end(JSON.stringify(value))

  it.each<[title: string, handler: Handler, code: VerificationCode, says: string]>([
    ['says nothing', silent, 'chain-unreachable', 'no word for 200 ms'],
    ['stalls', stalling, 'chain-unreachable', 'no word for 200 ms'],
    ['answers 503', status(503), 'chain-unreachable', 'HTTP 503'],
    ['breaks off', cut, 'chain-unreachable', 'unreachable'],
    ['answers HTML', (_, response) => response.end('<html>'), 'chain-unreachable', 'not JSON'],
    ['answers null', json(null), 'chain-answer', 'did not run'],
    ['refuses', json({ error: { code: -32000, message: 'reverted' } }), 'chain-answer', 'reverted'],
    ['knows no such contract', json({ result: '0x' }), 'chain-answer', 'no contract'],
    ['sends no end', endless, 'chain-answer', 'bytes'],
  ])('a chain node that %s', async (_, handler, code, says) => {
    onRpc = handler
    const error = await openFailure({ timeoutMs: TIMEOUT_MS })
    expect(error).toMatchObject({ code, step: 'reading the registry' })
    expect(error.message).toContain(says)
    expect(error.message).not.toContain('secret-api-key')
  })

  it.each<[title: string, handler: Handler, code: VerificationCode, says: string]>([
    ['says nothing', silent, 'gateway-unreachable', 'no word for 200 ms'],
    ['stalls', stalling, 'gateway-unreachable', 'no word for 200 ms'],
    ['answers 502', status(502), 'gateway-unreachable', 'HTTP 502'],
    ['answers 429', status(429), 'gateway-unreachable', 'HTTP 429'],
    ['breaks off', cut, 'gateway-unreachable', 'unreachable'],
    ['answers 410', status(410), 'chunk-missing', 'HTTP 410'],
  ])('a gateway that %s', async (_, handler, code, says) => {
    onContent.set(cidAt(1), handler)
    const error = await readFailure({ timeoutMs: TIMEOUT_MS })
    expect(error).toMatchObject({ code, step: 'fetching a chunk', index: 1 })
    expect(error.message).toContain(says)
  })

  it('a gateway that sends no end, for a chunk and for the manifest', async () => {
    onContent.set(cidAt(1), endless)
    expect(await readFailure()).toMatchObject({ code: 'chunk-size', index: 1 })
    onContent.set(chain.manifestCid, endless)
    expect(await openFailure()).toMatchObject({ code: 'manifest-malformed' })
  })

  it('a gateway that is slow but not silent is waited for', async () => {
    vi.useRealTimers()
    let gapMs = 0
    onContent.set(cidAt(0), (_, response) => {
      const bytes = [...served(0)]
      const timer = setInterval(() => {
        const byte = bytes.shift()
        if (byte !== undefined) return response.write(Uint8Array.of(byte))
        clearInterval(timer)
        return response.end()
      }, gapMs)
    })
    // 21 bytes: longer in all than the silence allowed, however long that is. A busy machine needs a longer one.
    let chunks: readonly unknown[] | undefined
    for (let timeoutMs = 400; chunks === undefined && timeoutMs < 20_000; timeoutMs *= 2) {
      gapMs = timeoutMs / 13
      chunks = await openSession(options({ timeoutMs })).then(
        (session) => session.readAll().catch(() => undefined),
        () => undefined,
      )
    }
    expect(chunks).toHaveLength(3)
  })

  it('a port where nobody listens', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => {
      closed.listen(0, '127.0.0.1', resolve)
    })
    const rpcUrl = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/`
    await new Promise((resolve) => {
      closed.close(resolve)
    })
    expect(await openFailure({ chain: { rpcUrl, registry: REGISTRY } })).toMatchObject({
      code: 'chain-unreachable',
    })
    expect(await openFailure({ gateway: rpcUrl })).toMatchObject({
      code: 'gateway-unreachable',
      index: undefined,
    })
  })
})

describe('a caller', () => {
  it('who aborts gets the reason of the signal, while opening and while reading', async () => {
    const reason = new Error('enough')
    const early = AbortSignal.abort(reason)
    await expect(openSession(options({ signal: early }))).rejects.toBe(reason)
    expect(asked).toEqual([])

    const caller = new AbortController()
    onContent.set(cidAt(1), () => caller.abort(reason))
    const session = await openSession(options({ signal: caller.signal }))
    await expect(session.readAll()).rejects.toBe(reason)
  })

  it.each<[name: string, changes: object]>([
    ['sessionId', { sessionId: 'x' }],
    ['sessionId', { sessionId: SESSION.toUpperCase() }],
    ['groupSecret', { groupSecret: new Uint8Array(31) }],
    ['groupSecret', { groupSecret: '0x00' }],
    ['chain.rpcUrl', { chain: undefined }],
    ['chain.rpcUrl', { chain: { rpcUrl: 'ws://127.0.0.1/', registry: REGISTRY } }],
    ['chain.registry', { chain: { rpcUrl: base, registry: '0x12' } }],
    ['chain.registry', { chain: { rpcUrl: base } }],
    ['gateway', { gateway: 'ipfs.example' }],
    ['gateway', { gateway: undefined }],
    ['cidProfile', { cidProfile: { leafBytes: 1, maxLinks: 1 } }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Infinity }],
  ])('who passes a wrong %s is told so before anyone is asked: %j', async (name, changes) => {
    const wrong = Object.assign(options(), changes)
    const error = await failureOf(openSession(wrong))
    expect(error).toMatchObject({ code: 'bad-input', step: 'checking the arguments' })
    expect(error.message).toContain(`${name} must be `)
    expect(asked).toEqual([])
  })
})
