import { cat, sha256, text, u32 } from './bytes.ts'

/** Bytes that look random and follow from a seed: SHA-256(seed ‖ u32 k) for k = 0, 1, 2, … */
export interface Random {
  bytes(length: number): Buffer
  /** A whole number in [0, below). */
  number(below: number): number
  pick<Value>(values: readonly Value[]): Value
}

export function randomFrom(seed: string): Random {
  const label = text(seed)
  let held: Buffer = Buffer.alloc(0)
  let block = 0
  const bytes = (length: number): Buffer => {
    while (held.length < length) held = cat(held, sha256(label, u32(block++)))
    const taken = Buffer.from(held.subarray(0, length))
    held = held.subarray(length)
    return taken
  }
  // The bias of a remainder does not matter in a test.
  const number = (below: number) => Number(bytes(6).readUIntBE(0, 6) % below)
  return { bytes, number, pick: (values) => values[number(values.length)]! }
}
