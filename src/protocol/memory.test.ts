import { afterEach, describe, expect, it, vi } from 'vitest'
import { free, weigh } from './memory.ts'

afterEach(() => vi.unstubAllGlobals())

describe('a buffer that is freed', () => {
  it('is gone at once, and one that is empty too', () => {
    const buffers = [new ArrayBuffer(8), new ArrayBuffer(0)]
    free(...buffers)
    for (const buffer of buffers) expect(() => new Uint8Array(buffer)).toThrow('detached')
  })
})

describe('what is weighed', () => {
  it('has a buffer that lives as long, of no more than 32 MiB', () => {
    const weights = [7, 2 ** 40].map((bytes) => {
      const blob = new Blob(['bytes'])
      weigh(blob, bytes)
      return Reflect.get(blob, 'weight')
    })
    expect(weights.map(({ byteLength }) => byteLength)).toEqual([7, 32 * 1024 * 1024])
  })

  it('is what it was where there is no room for that', () => {
    vi.stubGlobal('ArrayBuffer', function noRoom() {
      throw new RangeError('Array buffer allocation failed')
    })
    const blob = new Blob(['bytes'])
    expect(() => weigh(blob, 7)).not.toThrow()
    expect(Object.keys(blob)).toEqual([])
  })
})
