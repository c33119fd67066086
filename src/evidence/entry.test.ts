import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cid, GroupId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { fromHex, toHex } from './bytes.ts'
import { contentAddress } from './cid.ts'
import { parseEntry } from './entry-parse.ts'
import {
  END_HOWS,
  serialiseEntry,
  type ChunkEntry,
  type EndEntry,
  type Entry,
  type NoteEntry,
  type SessionEntry,
} from './entry.ts'

const badInput = expect.objectContaining({ code: 'bad-input' })
const encoder = new TextEncoder()

const hexOf = <Text extends string>(sizeBytes: number) =>
  fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes }).map((bytes) => toHex(bytes) as Text)
const time = fc.maxSafeNat()
const uint32 = fc.nat({ max: 0xffff_ffff })
const sealed = fc.uint8Array({ minLength: 48, maxLength: 200 }).map(toHex)

const sessions: fc.Arbitrary<SessionEntry> = fc.record({
  kind: fc.constant('session' as const),
  startedAtMs: time,
  publicKey: hexOf(64),
  sealingKey: hexOf(32),
  continues: fc.option(hexOf<SessionName>(32)),
  mimeType: fc.string({ minLength: 1, unit: 'binary' }).filter((text) => encoder.encode(text).length < 256),
  groups: fc
    .uniqueArray(
      fc.record({
        id: hexOf(32).map((hex) => `0x${hex}` as GroupId),
        tag: hexOf<Sha256Hex>(32),
        sealedKey: hexOf(80),
      }),
      { minLength: 1, maxLength: 16, selector: ({ id }) => id },
    )
    .map((groups) => groups.toSorted((a, b) => (a.id < b.id ? -1 : 1))),
  metadata: fc.option(sealed),
})
const chunks: fc.Arbitrary<ChunkEntry> = fc.record({
  kind: fc.constant('chunk' as const),
  index: uint32,
  capturedAtMs: time,
  durationMs: uint32,
  sizeBytes: fc.integer({ min: 16, max: 67_108_880 }),
  plaintextHash: hexOf<Sha256Hex>(32),
  encryptedHash: hexOf<Sha256Hex>(32),
  iv: hexOf(12),
  chunkKey: hexOf(80),
  cid: fc.stringMatching(/^b[a-z2-7]{58}$/).map((text) => text as Cid),
})
const ends: fc.Arbitrary<EndEntry> = fc.record({
  kind: fc.constant('end' as const),
  how: fc.constantFrom(...END_HOWS),
  endedAtMs: time,
  indexes: fc.option(fc.nat({ max: 0xffff_fffe })),
})
const notes: fc.Arbitrary<NoteEntry> = fc.record({
  kind: fc.constant('note' as const),
  atMs: time,
  sealed,
})
const entries = fc.oneof<fc.Arbitrary<Entry>[]>(sessions, chunks, ends, notes)

describe('an entry', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(parseEntry(serialiseEntry(entry))).toEqual(entry)
      }),
    )
  })

  it('may have a byte order mark in its text, which is read as any other sign', () => {
    fc.assert(
      fc.property(sessions, (session) => {
        const marked = { ...session, mimeType: '\ufeffa/b' }
        expect(parseEntry(serialiseEntry(marked))).toEqual(marked)
      }),
      { numRuns: 5 },
    )
  })

  it('altered anywhere is refused, or is another entry with exactly these bytes', () => {
    const change = fc.record({ at: fc.nat(), cut: fc.nat({ max: 3 }), put: fc.uint8Array({ maxLength: 3 }) })
    let read = 0
    fc.assert(
      fc.property(entries, change, (entry, { at, cut, put }) => {
        const altered = [...serialiseEntry(entry)]
        altered.splice(at % (altered.length + 1), cut, ...put)
        let parsed: Entry
        try {
          parsed = parseEntry(Uint8Array.from(altered))
        } catch (error) {
          expect(error).toEqual(badInput)
          return
        }
        read++
        expect([...serialiseEntry(parsed)]).toEqual(altered)
      }),
      { numRuns: 2000 },
    )
    expect(read).toBeGreaterThan(0)
  })

  it('has the bytes of the format', async () => {
    const cid = await contentAddress(new Uint8Array(16))
    const [a, b] = ['aa'.repeat(32) as Sha256Hex, 'bb'.repeat(32) as Sha256Hex]
    const chunk: ChunkEntry = {
      kind: 'chunk',
      index: 1,
      capturedAtMs: 2,
      durationMs: 3,
      sizeBytes: 16,
      plaintextHash: a,
      encryptedHash: b,
      iv: 'cc'.repeat(12),
      chunkKey: 'dd'.repeat(80),
      cid,
    }
    expect(toHex(serialiseEntry(chunk))).toBe(
      `01${'00000001'}${'0000000000000002'}${'00000003'}${'00000010'}${a}${b}${'cc'.repeat(12)}${'dd'.repeat(80)}` +
        `3b${Buffer.from(cid, 'ascii').toString('hex')}`,
    )
    expect(toHex(serialiseEntry({ kind: 'end', how: 'discarded', endedAtMs: 1, indexes: null }))).toBe(
      `02${'03'}${'0000000000000001'}ffffffff`,
    )
    expect(toHex(serialiseEntry({ kind: 'note', atMs: 1, sealed: 'eeff' }))).toBe(
      `03${'0000000000000001'}${'0002'}eeff`,
    )
    const session: SessionEntry = {
      kind: 'session',
      startedAtMs: 1,
      publicKey: '11'.repeat(64),
      sealingKey: '22'.repeat(32),
      continues: null,
      mimeType: 'a/b',
      groups: [{ id: `0x${a}` as GroupId, tag: b, sealedKey: '33'.repeat(80) }],
      metadata: null,
    }
    expect(toHex(serialiseEntry(session))).toBe(
      `00${'0000000000000001'}${'11'.repeat(64)}${'22'.repeat(32)}${'00'.repeat(32)}${'0003'}612f62` +
        `01${a}${b}${'33'.repeat(80)}0000`,
    )
  })

  it('is refused by the name of what is wrong', () => {
    const zero = '00'
    const time = '0000000000000001'
    const keys = '11'.repeat(64 + 32 + 32)
    const group = (id: string) => id.repeat(32) + '44'.repeat(112)
    const session = `${zero}${time}${keys}`
    const chunk = (sizeBytes: string) => `01${'00000001'}${time}${'00000001'}${sizeBytes}${'11'.repeat(156)}`
    const wrong = {
      kind: ['', '04', 'ff'],
      startedAtMs: ['00', `00${'0020000000000000'}`],
      'mimeType length': [`${session}0000`, `${session}0100`],
      mimeType: [`${session}0001ff`],
      groups: [`${session}00016100`, `${session}00016111`],
      'groups[1].id': [
        `${session}00016102${group('01')}${group('01')}0000`,
        `${session}00016102${group('02')}${group('01')}0000`,
      ],
      metadata: [`${session}00016101${group('01')}0001`],
      sizeBytes: [chunk('0000000f'), chunk('04000011')],
      cid: [`${chunk('00000010')}00`, `${chunk('00000010')}02623b`],
      how: [`0200${time}00000001`, `0204${time}00000001`],
      end: [`0201${time}0000000100`],
      sealed: [`03${time}0001`],
    }
    for (const [field, many] of Object.entries(wrong))
      for (const hex of many) {
        expect(() => parseEntry(fromHex(hex))).toThrow(badInput)
        expect(() => parseEntry(fromHex(hex))).toThrow(`Entry field ${field} must`)
      }
  })

  it('is not written with what its fields do not hold', () => {
    const end = { kind: 'end', how: 'complete', endedAtMs: 0, indexes: 0 } as const
    expect(() => serialiseEntry({ ...end, endedAtMs: 0.5 })).toThrow(badInput)
    expect(() => serialiseEntry({ ...end, indexes: 2 ** 32 })).toThrow(badInput)
  })
})
