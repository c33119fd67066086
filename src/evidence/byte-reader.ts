import { HoldfastError } from '../protocol/errors.ts'
import { flatHex } from './flat-hex.ts'

/** Reads untrusted bytes from the front, field by field. Each method throws `bad-input` that names the field. */
export class ByteReader {
  readonly #what: string
  readonly #bytes: Uint8Array
  #at = 0

  /** @param what `Entry` or `Page`: how errors call it */
  constructor(what: string, bytes: Uint8Array) {
    this.#what = what
    this.#bytes = bytes
  }

  bytes(field: string, length: number): Uint8Array<ArrayBuffer> {
    const end = this.#at + length
    if (end > this.#bytes.length)
      this.refuse(field, `of ${length} bytes; ${this.#bytes.length - this.#at} are left`)
    // A copy: what is kept of it keeps nothing else alive.
    const taken = new Uint8Array(this.#bytes.subarray(this.#at, end))
    this.#at = end
    return taken
  }

  hex(field: string, length: number): string {
    return flatHex(this.bytes(field, length))
  }

  text(field: string, length: number): string {
    const bytes = this.bytes(field, length)
    try {
      // A BOM is text like any other, so that only these bytes are this text.
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      return this.refuse(field, 'UTF-8')
    }
  }

  /** An unsigned big-endian integer from `from` to `to`. */
  uint(field: string, sizeBytes: 1 | 2 | 4 | 8, from = 0, to = Number.MAX_SAFE_INTEGER): number {
    const value = this.bytes(field, sizeBytes).reduce((sum, byte) => 256 * sum + byte, 0)
    return value >= from && value <= to ? value : this.refuse(field, `from ${from} to ${to}; found ${value}`)
  }

  /** Nothing follows. */
  end(): void {
    if (this.#at < this.#bytes.length) this.refuse('end', `at ${this.#at} of ${this.#bytes.length} bytes`)
  }

  refuse(field: string, expected: string): never {
    throw new HoldfastError('bad-input', `${this.#what} field ${field} must be ${expected}`)
  }
}
