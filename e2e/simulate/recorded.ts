import { createECDH, createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto'
import { toHex } from '../../src/evidence/bytes.ts'
import { sealChunk } from '../../src/evidence/chunk-seal.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { groupIdOf, groupTag } from '../../src/evidence/group-key.ts'
import { serialiseHead, type Head } from '../../src/evidence/head.ts'
import { sessionName } from '../../src/evidence/name.ts'
import type { SessionId, SessionName } from '../../src/protocol/ids.ts'
import type { HandedChunk, HandedNote, SessionStart } from '../../src/protocol/messages.ts'
import type { SignedHead } from '../../sw/ports/anchor.ts'
import { reseedCrypto, useQuickCrypto } from '../../sw/testing/quick-crypto.ts'
import { sessionIdOf } from '../../sw/testing/world.ts'
import { START_MS } from './simulated-scene.ts'

// What is sealed here is the same in every process.
useQuickCrypto()
reseedCrypto(0)

/** A Blob whose bytes are at hand without a thread. */
class QuickBlob extends Blob {
  readonly #bytes: ArrayBuffer

  constructor(bytes: ArrayBuffer) {
    super([bytes])
    this.#bytes = bytes
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes
  }
}

/** A P-256 key that signs heads. */
interface SigningKey {
  /** x and y, hex. */
  readonly publicKey: string
  readonly privateKey: KeyObject
}

/** The same key for the same words. */
function signingKeyOf(words: string): SigningKey {
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(createHash('sha256').update(words).digest())
  const point = pair.getPublicKey()
  const [x = '', y = ''] = [point.subarray(1, 33), point.subarray(33)].map((part) =>
    part.toString('base64url'),
  )
  const d = pair.getPrivateKey().toString('base64url')
  return {
    publicKey: point.subarray(1).toString('hex'),
    privateKey: createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d }, format: 'jwk' }),
  }
}

/** Public keys of RFC 7748 §6.1: nobody here opens anything. */
const GROUP_KEY = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
const SEALING_KEY = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'
const GROUP_ID = await groupIdOf(GROUP_KEY)

/** Recordings, and chunks of each, that a history can have at most. */
const MAX = { recordings: 3, chunks: 4 } as const

const sessions = new Map<SessionId, { readonly name: SessionName; readonly key: SigningKey }>()
const starts: SessionStart[] = []
for (let at = 0; at < MAX.recordings; at++) {
  const sessionId = sessionIdOf(at + 1)
  const key = signingKeyOf(sessionId)
  const name = await sessionName(sessionId, key.publicKey)
  sessions.set(sessionId, { name, key })
  const pkcs8 = key.privateKey.export({ format: 'der', type: 'pkcs8' })
  starts.push({
    sessionId,
    publicKey: key.publicKey,
    signingKey: new Uint8Array(pkcs8).buffer,
    sealingKey: SEALING_KEY,
    mimeType: 'video/webm',
    startedAtMs: START_MS + at,
    access: [{ id: GROUP_ID, tag: await groupTag(GROUP_KEY, name), sealedKey: '3'.repeat(160) }],
    seal: 'page',
  })
}

const sessionOf = (id: SessionId) => {
  const session = sessions.get(id)
  if (session === undefined) throw new Error(`Nobody records ${id}`)
  return session
}

/** By what name the log and the chain know a recording. */
export const nameOf = (id: SessionId): SessionName => sessionOf(id).name

/** What a page says to open its recording. */
export function startOf(at: number, seal: 'page' | 'worker'): SessionStart {
  const start = starts[at]
  if (start === undefined) throw new Error(`There is no recording ${at}`)
  return { ...start, seal }
}

/** This head as whoever has stolen the session's key signs it. */
export const signedByThief = (id: SessionId, head: Head): SignedHead => signedBy(sessionOf(id).key, head)

/** This head as somebody signs it who has a key of their own. */
export const signedByStranger = (head: Head): SignedHead => signedBy(STRANGER, head)

const STRANGER = signingKeyOf('a stranger')

function signedBy({ publicKey, privateKey }: SigningKey, head: Head): SignedHead {
  const signature = sign('sha256', serialiseHead(head), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return { ...head, publicKey, signature: toHex(signature) }
}

const pool = new Map<string, HandedChunk>()
const placeOf = (...parts: [id: SessionId, index: number, sealedBy: string, take: number]) => parts.join(' ')

/**
 * A chunk as a page hands it over; sealed once, beforehand.
 *
 * @param take another take of the same place has other content
 */
export function recordedChunk(
  id: SessionId,
  index: number,
  sealedBy: 'page' | 'worker',
  take = 0,
): HandedChunk {
  const chunk = pool.get(placeOf(id, index, sealedBy, take))
  if (chunk === undefined) throw new Error(`Nothing was recorded for ${id} ${index}`)
  return chunk
}

/** A note as a page hands it over: nobody here opens it. */
export const recordedNote = (id: SessionId, index: number): HandedNote => ({
  index,
  atMs: START_MS + index,
  sealed: toHex(new TextEncoder().encode(`${id} ${index}`)),
})

async function recordChunk(
  sessionId: SessionId,
  index: number,
  sealedBy: 'page' | 'worker',
  plaintext: ArrayBuffer,
): Promise<HandedChunk> {
  const common = { sessionId, index, capturedAtMs: START_MS + index, durationMs: 3_000 }
  if (sealedBy === 'worker') {
    const plaintextHash = await sha256Hex(plaintext)
    return { ...common, plaintextHash, payload: new QuickBlob(plaintext) }
  }
  const toSeal = { sealingKey: SEALING_KEY, name: nameOf(sessionId), index, plaintext }
  const { ciphertext, plaintextHash, ...seal } = await sealChunk(toSeal)
  return { ...common, plaintextHash, payload: new QuickBlob(ciphertext), seal }
}

for (let at = 0; at < MAX.recordings; at++)
  for (let index = 0; index < MAX.chunks; index++)
    for (const sealedBy of ['page', 'worker'] as const)
      for (const take of [0, 1]) {
        const id = sessionIdOf(at + 1)
        const place = placeOf(id, index, sealedBy, take)
        pool.set(place, await recordChunk(id, index, sealedBy, new TextEncoder().encode(place).buffer))
      }
