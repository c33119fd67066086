import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './bytes.ts'
import { parseSignedHead, SIGNED_HEAD_BYTES } from './head-parse.ts'
import { serialiseSignedHead, verifyHead } from './head.ts'

const { recording, sizes } = JSON.parse(
  readFileSync(new URL('./vectors/format-2.json', import.meta.url), 'utf8'),
) as {
  recording: { name: string; pages: { head: { size: number; signedHead: string } }[] }
  sizes: { size: string; signedHead: string; isHead: boolean }[]
}

describe('a signed head', () => {
  it.each(recording.pages.map(({ head }) => [head.size, head.signedHead] as const))(
    'of %i entries is read and written as its one form',
    async (size, hex) => {
      const head = parseSignedHead(fromHex(hex))
      expect(head).toMatchObject({ name: recording.name, size })
      expect(await verifyHead(head, head.publicKey, head.signature)).toBe(true)
      expect(toHex(serialiseSignedHead(head))).toBe(hex)
    },
  )

  it.each(sizes.map(({ size, isHead, signedHead }) => [size, isHead, signedHead] as const))(
    'of %s entries is one: %s',
    async (size, isHead, hex) => {
      if (!isHead) {
        expect(() => parseSignedHead(fromHex(hex))).toThrow('Head field size')
        return
      }
      const head = parseSignedHead(fromHex(hex))
      expect(head.size).toBe(Number(size))
      expect(await verifyHead(head, head.publicKey, head.signature)).toBe(true)
      expect(toHex(serialiseSignedHead(head))).toBe(hex)
    },
  )

  it('is none with a byte less or more, another label, no entry or another end', () => {
    const bytes = fromHex(recording.pages[0]!.head.signedHead)
    expect(bytes.length).toBe(SIGNED_HEAD_BYTES)
    const withByte = (at: number, byte: number) =>
      Uint8Array.from(bytes, (was, here) => (here === at ? byte : was))
    const none = [
      bytes.subarray(1),
      bytes.subarray(0, -1),
      Uint8Array.of(...bytes, 0),
      withByte(15, 0x33),
      withByte(55, 0),
      withByte(184, 2),
      withByte(48, 0xff),
    ]
    for (const wrong of none) expect(() => parseSignedHead(wrong)).toThrow(/Head field/)
  })
})
