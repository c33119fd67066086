import { drain, type Bytes } from './exchange.ts'

/** A file in a `multipart/form-data` body (RFC 7578). Read `content` to its end before the next part. */
export interface Part {
  readonly filename: string | undefined
  readonly content: Bytes
}

/** The body is not the form that its header promised, or ends too soon. */
export class BadForm extends Error {
  override readonly name = 'BadForm'
}

const HEAD_END = Buffer.from('\r\n\r\n')
const MAX_HEAD_BYTES = 16_384

/** The parts of a form, streamed: nothing is kept but the length of a delimiter. */
export async function* formParts(contentType: string | undefined, body: Bytes): AsyncGenerator<Part> {
  const boundary = /^multipart\/form-data\s*;.*?boundary="?([^";]{1,70})"?/i.exec(contentType ?? '')?.[1]
  if (boundary === undefined) throw new BadForm('Content-Type must be multipart/form-data with a boundary')
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const input = new Input(body)
  try {
    // The first delimiter may stand at the very start, without its line break.
    input.unread(Buffer.from('\r\n'))
    await drain(input.until(delimiter))
    for (;;) {
      const mark = await input.take(2)
      if (mark === '--') break
      if (mark !== '\r\n') throw new BadForm('A delimiter is not followed by a line break')
      const filename = filenameIn(await readHead(input))
      const content = input.until(delimiter)
      yield { filename, content }
      await drain(content)
    }
    await input.finish()
  } finally {
    await input.close()
  }
}

async function readHead(input: Input): Promise<string> {
  // The line break before an empty head counts as the first half of its end.
  input.unread(Buffer.from('\r\n'))
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of input.until(HEAD_END)) {
    bytes += piece.byteLength
    if (bytes > MAX_HEAD_BYTES) throw new BadForm('The head of a part is too long')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function filenameIn(head: string): string | undefined {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ''
  return /[;\s]filename="([^"]*)"/i.exec(disposition)?.[1]
}

/** A byte stream that can be read up to a pattern. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.alloc(0)

  constructor(body: Bytes) {
    this.#source = body[Symbol.asyncIterator]()
  }

  unread(bytes: Uint8Array): void {
    this.#buffer = Buffer.concat([bytes, this.#buffer])
  }

  async take(length: number): Promise<string> {
    while (this.#buffer.byteLength < length) await this.#more()
    const taken = this.#buffer.subarray(0, length).toString('latin1')
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }

  /** What comes before the pattern; the pattern itself is read too. */
  async *until(pattern: Buffer): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = this.#buffer.indexOf(pattern)
      if (at >= 0) {
        const before = this.#buffer.subarray(0, at)
        this.#buffer = this.#buffer.subarray(at + pattern.byteLength)
        if (before.byteLength > 0) yield before
        return
      }
      const safe = this.#buffer.byteLength - pattern.byteLength + 1
      if (safe > 0) {
        const before = this.#buffer.subarray(0, safe)
        this.#buffer = this.#buffer.subarray(safe)
        yield before
      }
      await this.#more()
    }
  }

  /** Read what follows the last delimiter, so that a body without its end is noticed. */
  async finish(): Promise<void> {
    while ((await this.#source.next()).done !== true);
  }

  /** Let go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async #more(): Promise<void> {
    const next = await this.#source.next()
    if (next.done === true) throw new BadForm('The form ends before its last delimiter')
    this.#buffer = Buffer.concat([this.#buffer, next.value])
  }
}
