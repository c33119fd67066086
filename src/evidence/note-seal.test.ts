import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SessionName } from '../protocol/ids.ts'
import { concat, fromHex, toHex, uint64be, utf8 } from './bytes.ts'
import { parseEntry } from './entry-parse.ts'
import { serialiseSession, type SessionEntry } from './entry.ts'
import { open, seal } from './hpke.ts'
import { MAX_NOTE_BYTES, openNote, sealNote } from './note-seal.ts'
import { serialisePage } from './page.ts'
import { newPrivateKey, publicKeyOf } from './x25519.ts'

const badInput = expect.objectContaining({ code: 'bad-input' })
const name = 'ab'.repeat(32) as SessionName
const privateKey = newPrivateKey()
const sessionKey = toHex(privateKey)
const sealingKey = toHex(await publicKeyOf(privateKey))
const info = concat(utf8('holdfast/note/v2'), fromHex(name), uint64be(5))

describe('a sealed note', () => {
  it('is what the format says', async () => {
    const sealed = await sealNote({ sealingKey, name, atMs: 5, note: { was: 'seen' } })
    const plaintext = await open({ privateKey, info, sealed: fromHex(sealed) })
    expect(new TextDecoder().decode(plaintext)).toBe('{"was":"seen"}')
    expect(sealed.length / 2).toBe(48 + plaintext.length)
  })

  it('opens to the object that it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (value) => {
        const note = JSON.parse(JSON.stringify(value)) as typeof value
        const sealed = await sealNote({ sealingKey, name, atMs: 5, note })
        expect(await openNote({ sessionKey, name, atMs: 5, sealed })).toEqual(note)
      }),
      { numRuns: 20 },
    )
  })

  it('opens under no other time, name or key', async () => {
    const sealed = await sealNote({ sealingKey, name, atMs: 5, note: {} })
    const opens = { sessionKey, name, atMs: 5, sealed }
    for (const other of [
      { atMs: 6 },
      { name: 'ac'.repeat(32) as SessionName },
      { sessionKey: toHex(newPrivateKey()) },
      { sealed: sealed.slice(2) },
    ])
      await expect(openNote({ ...opens, ...other })).rejects.toThrow(badInput)
    expect(await openNote(opens)).toEqual({})
  })

  it.each(['[]', 'null', '7', '{', '"a"', '\ufeff{}'])('that holds %s is refused', async (json) => {
    const sealed = toHex(await seal({ publicKey: fromHex(sealingKey), info, plaintext: utf8(json) }))
    await expect(openNote({ sessionKey, name, atMs: 5, sealed })).rejects.toThrow(badInput)
  })

  it('has a size that fits even into the largest entry of a session', async () => {
    const noteOf = (sizeBytes: number) => ({ a: 'x'.repeat(sizeBytes - '{"a":""}'.length) })
    const seals = { sealingKey, name, atMs: 5 }
    await expect(sealNote({ ...seals, note: noteOf(MAX_NOTE_BYTES + 1) })).rejects.toThrow(badInput)
    const session: SessionEntry = {
      kind: 'session',
      startedAtMs: 5,
      publicKey: '11'.repeat(64),
      sealingKey,
      continues: name,
      mimeType: 'x'.repeat(255),
      groups: Array.from({ length: 16 }, (_, at) => ({
        id: `0x${at.toString(16).repeat(64)}` as SessionEntry['groups'][number]['id'],
        tag: '22'.repeat(32) as SessionEntry['groups'][number]['tag'],
        sealedKey: '33'.repeat(80),
      })),
      metadata: await sealNote({ ...seals, note: noteOf(MAX_NOTE_BYTES) }),
    }
    const entry = serialiseSession(session)
    expect(parseEntry(entry)).toEqual(session)
    expect(() =>
      serialisePage({ name, number: 1, from: 0, frontier: [], links: [], entries: [entry] }),
    ).not.toThrow()
  })
})
