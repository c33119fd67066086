import { createCipheriv, createHash } from 'node:crypto'

/** The vectors' byte stream: SHA-256(label, counter) for counters from 0, cut to size. */
export function bytesOf(label: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes)
  const counter = Buffer.alloc(4)
  for (let at = 0, k = 0; at < sizeBytes; at += 32, k += 1) {
    counter.writeUInt32BE(k)
    const block = createHash('sha256').update(label).update(counter).digest()
    bytes.set(block.subarray(0, Math.min(32, sizeBytes - at)), at)
  }
  return bytes
}

/** Other bytes for each label, in no time. */
export function noise(label: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const key = createHash('sha256').update(label).digest()
  return Uint8Array.from(createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes)))
}
