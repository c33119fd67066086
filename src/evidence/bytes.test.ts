import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concat,
  equalBytes,
  fromBase64,
  fromHex,
  toBase64,
  toHex,
  uint16be,
  uint32be,
  uint64be,
  uint8,
} from './bytes.ts'

const badInput = expect.objectContaining({ code: 'bad-input' })

describe('bytes', () => {
  it('reads back any bytes from hex and Base64 as Node writes them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect(equalBytes(fromHex(toHex(bytes)), bytes)).toBe(true)
        expect(equalBytes(fromBase64(toBase64(bytes)), bytes)).toBe(true)
      }),
    )
  })

  it.each(['a', 'zz', '0x12', '1 2 '])('refuses %j as hex', (text) => {
    expect(() => fromHex(text)).toThrow(badInput)
  })

  it.each(['?', 'AA', 'AB==', ' AA==', 'AA-_'])('refuses %j as Base64', (text) => {
    expect(() => fromBase64(text)).toThrow(badInput)
  })

  it('writes big-endian numbers', () => {
    expect(toHex(uint8(0xfe))).toBe('fe')
    expect(toHex(uint16be(0x0102))).toBe('0102')
    expect(toHex(uint32be(0x01020304))).toBe('01020304')
    expect(toHex(uint32be(0xffff_ffff))).toBe('ffffffff')
    expect(toHex(uint64be(Number.MAX_SAFE_INTEGER))).toBe('001fffffffffffff')
  })

  it('refuses what one or two bytes do not hold', () => {
    expect(() => uint8(256)).toThrow(badInput)
    expect(() => uint16be(65_536)).toThrow(badInput)
  })

  it.each([-1, 0.5, NaN, 2 ** 32])('refuses %d as a uint32 rather than wrapping it', (value) => {
    expect(() => uint32be(value)).toThrow(badInput)
  })

  it.each([-1, 0.5, Infinity, 2 ** 53])('refuses %d as a uint64 rather than rounding it', (value) => {
    expect(() => uint64be(value)).toThrow(badInput)
  })

  it('joins parts, and tells different bytes and lengths apart', () => {
    expect(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3))
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(2))).toBe(false)
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false)
  })
})
