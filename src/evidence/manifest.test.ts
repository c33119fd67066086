import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cid, SessionId, Sha256Hex } from '../protocol/ids.ts'
import { fromHex } from './bytes.ts'
import { contentAddress } from './cid.ts'
import { groupIdOf } from './group.ts'
import { ManifestError, parseManifest } from './manifest-parse.ts'
import { manifestRoot, serialiseManifest, type Manifest, type ManifestChunk } from './manifest.ts'
import vectors from './vectors/evidence.json' with { type: 'json' }

const OTHER_GROUP = `0x${'00'.repeat(32)}`
const groupId = groupIdOf(fromHex(vectors.groupSecretHex))

const { wrappedKey, iv } = vectors.wrapped
const wrapped = { wrappedKey, iv }

const manifest: Manifest = {
  version: 1,
  contentId: vectors.sessionId as SessionId,
  sessionId: vectors.sessionId as SessionId,
  uploader: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  captureStarted: 1_770_000_000_000,
  lastUpdated: 1_770_000_090_000,
  status: 'complete',
  merkleRoot: vectors.merkleRoot as Sha256Hex,
  encryption: { algorithm: 'aes-256-gcm', keyDerivation: 'hkdf-sha256' },
  accessList: { [OTHER_GROUP]: wrapped, [groupId]: wrapped },
  chunks: vectors.chunks.map((chunk) => ({
    index: chunk.index,
    cid: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku' as Cid,
    size: chunk.encryptedSizeBytes,
    duration: 10_000,
    plaintextHash: chunk.plaintextHash as Sha256Hex,
    encryptedHash: chunk.encryptedHash as Sha256Hex,
    iv: chunk.iv,
    capturedAt: chunk.capturedAt,
    uploadedAt: chunk.capturedAt + 1,
  })),
}

type Json = Record<string, unknown>
const plain = (): Json => JSON.parse(JSON.stringify(manifest)) as Json
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

/** The manifest with the value at `path` replaced, or removed where it is undefined. */
function withField(path: string, value: unknown): Uint8Array {
  const whole = plain()
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const holder = keys.reduce<Json>((at, key) => at[key] as Json, whole)
  holder[last] = value
  return bytesOf(whole)
}

describe('serialiseManifest', () => {
  it('keeps its bytes from release to release: an anchored address must not change', async () => {
    const bytes = serialiseManifest(manifest)
    expect(new TextDecoder().decode(bytes)).toMatch(
      /^\{"version":1,"contentId":"1a69cbdf-[-0-9a-f]+","sessionId":"[-0-9a-f]+","uploader":"0x70997970C5\w+",/,
    )
    expect(await contentAddress(bytes)).toMatchInlineSnapshot(
      `"bafkreicgd6xty4xzyo42aur65c7c7frvvarak2ssskvi53z2jjsx2ddlym"`,
    )
  })

  it('writes what parseManifest reads', () => {
    expect(parseManifest(serialiseManifest(manifest))).toEqual(manifest)
  })
})

describe('parseManifest', () => {
  it.each<[field: string, value: unknown, named?: string]>([
    ['version', 2],
    ['version', '1'],
    ['contentId', 'x'],
    ['sessionId', vectors.sessionId.toUpperCase()],
    ['sessionId', undefined],
    ['uploader', '0x12'],
    ['uploader', 7],
    ['captureStarted', -1],
    ['captureStarted', '1770000000000'],
    ['lastUpdated', 1.5],
    ['status', 'done'],
    ['merkleRoot', `0x${vectors.merkleRoot}`],
    ['encryption', null],
    ['encryption', []],
    ['encryption.algorithm', 'aes-128-gcm'],
    ['encryption.keyDerivation', undefined],
    ['accessList', {}],
    ['accessList', [1]],
    ['accessList.short', vectors.wrapped, 'accessList'],
    [`accessList.${groupId}`, null],
    [`accessList.${groupId}.wrappedKey`, 'AAAA'],
    [`accessList.${groupId}.iv`, 'AAAAAAAAAAAAAAAA\n'],
    ['chunks', {}],
    ['chunks', []],
    ['chunks.0', 'x', 'chunks[0]'],
    ['chunks.3.index', 2, 'chunks[3].index'],
    ['chunks.3.index', 1, 'chunks[3].index'],
    ['chunks.8.index', 2 ** 32, 'chunks[8].index'],
    ['chunks.0.index', -1, 'chunks[0].index'],
    ['chunks.1.cid', '../../etc/passwd', 'chunks[1].cid'],
    ['chunks.1.size', 15, 'chunks[1].size'],
    ['chunks.1.size', 64 * 1024 * 1024 + 17, 'chunks[1].size'],
    ['chunks.1.duration', -0.1, 'chunks[1].duration'],
    ['chunks.1.duration', null, 'chunks[1].duration'],
    ['chunks.1.plaintextHash', 'ab', 'chunks[1].plaintextHash'],
    ['chunks.1.encryptedHash', vectors.merkleRoot.toUpperCase(), 'chunks[1].encryptedHash'],
    ['chunks.1.iv', 'AAAAAAAAAAAAAAA=', 'chunks[1].iv'],
    ['chunks.1.capturedAt', 2 ** 53, 'chunks[1].capturedAt'],
    ['chunks.1.uploadedAt', undefined, 'chunks[1].uploadedAt'],
  ])('refuses %s = %j and names it', (field, value, named = field) => {
    expect(() => parseManifest(withField(field, value))).toThrow(
      expect.objectContaining({ name: 'HoldfastError', code: 'bad-input', field: named }),
    )
    expect(() => parseManifest(withField(field, value))).toThrow(`Manifest field ${named} must be `)
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['no JSON', new TextEncoder().encode('{"version":1')],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['no object', bytesOf([manifest])],
    ['null', bytesOf(null)],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseManifest(bytes)).toThrow(expect.objectContaining({ field: '(root)' }))
  })

  it('takes gaps between indexes, fractions of a millisecond of duration, and drops unknown fields', () => {
    const read = parseManifest(withField('chunks.8.index', 100))
    expect(read.chunks.at(-1)?.index).toBe(100)
    expect(parseManifest(withField('chunks.1.duration', 9999.5)).chunks[1]?.duration).toBe(9999.5)
    expect(parseManifest(withField('later', 1))).toEqual(manifest)
  })

  it('returns a manifest or throws a ManifestError, for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(...Object.keys(manifest)), (json, key) => {
        for (const bytes of [new TextEncoder().encode(json), withField(key, JSON.parse(json))]) {
          try {
            parseManifest(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(ManifestError)
          }
        }
      }),
    )
  })
})

describe('manifestRoot', () => {
  it('is the vector root, whatever the order of the chunks', async () => {
    expect(await manifestRoot(manifest.chunks)).toBe(vectors.merkleRoot)
    expect(await manifestRoot(manifest.chunks.toReversed())).toBe(vectors.merkleRoot)
  })

  it('changes with the index, hashes and time of a chunk', async () => {
    const last = manifest.chunks[8] as ManifestChunk
    for (const change of [
      { index: 100 },
      { plaintextHash: vectors.merkleRoot as Sha256Hex },
      { encryptedHash: vectors.merkleRoot as Sha256Hex },
      { capturedAt: 1 },
    ]) {
      const chunks = manifest.chunks.with(8, { ...last, ...change })
      expect(await manifestRoot(chunks)).not.toBe(vectors.merkleRoot)
    }
  })
})
