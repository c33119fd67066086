import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { toHex } from './bytes.ts'
import { parseEntry } from './entry-parse.ts'
import { serialiseEntry } from './entry.ts'
import { flatHex } from './flat-hex.ts'

it('is the same hex', () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  expect(flatHex(all)).toBe(toHex(all))
  expect(flatHex(all.subarray(3, 3))).toBe('')
})

it('entries that are read are kept in little more than their bytes as hex', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const COUNT = 2_000
  const bytes = serialiseEntry({
    kind: 'chunk',
    index: 0,
    capturedAtMs: 1,
    durationMs: 1,
    sizeBytes: 100,
    plaintextHash: 'a1'.repeat(32) as never,
    encryptedHash: 'b2'.repeat(32) as never,
    iv: 'c3'.repeat(12),
    chunkKey: 'd4'.repeat(80),
    cid: `b${'a'.repeat(58)}` as never,
  })
  collect()
  const before = process.memoryUsage().heapUsed
  const kept = Array.from({ length: COUNT }, () => parseEntry(bytes))
  collect()
  const each = (process.memoryUsage().heapUsed - before) / kept.length
  // Some 700 here; 7,700 where they are put together bit by bit.
  expect(each).toBeLessThan(2_000)
})
