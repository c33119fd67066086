import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Found {
  /** Path inside the folder. */
  readonly file: string
  readonly secret: string
  readonly form: string
}

/** So many bytes in a row count as the secret: more than chance, less than what compression leaves in one piece. */
const PIECE_BYTES = 12
const PIECE_STEP_BYTES = 4

/**
 * Where in a folder's files these secrets are: as bytes, in UTF-16LE, or in Base64 (at any offset). LevelDB's tables
 * may be compressed by snappy, which copies what it has seen before: there, a piece of a secret counts.
 *
 * @param secrets of ASCII characters, unlike each other
 */
export const searchFiles = (folder: string, secrets: ReadonlySet<string>): Promise<Found[]> =>
  searchFor(
    folder,
    [...secrets].flatMap((secret) => formsOf(secret).map(([form, bytes]) => ({ secret, form, bytes }))),
  )

/** What is looked for: a secret in one of its forms. */
export interface Needle {
  readonly secret: string
  readonly form: string
  readonly bytes: Buffer
}

/** The same of secrets that are bytes, by these names: as they are, in hex, or in Base64 (at any offset). */
export function needlesOf(secret: string, bytes: Buffer): Needle[] {
  const hex = bytes.toString('hex')
  const forms = [
    ['bytes', bytes],
    ['hex', Buffer.from(hex)],
    ['hex in UTF-16LE', Buffer.from(hex, 'utf16le')],
    ...base64Of(bytes).map((text) => ['Base64', Buffer.from(text)] as const),
  ] as const
  return forms.map(([form, each]) => ({ secret, form, bytes: each }))
}

export async function searchFor(folder: string, wanted: readonly Needle[]): Promise<Found[]> {
  const needles = wanted.map((needle) => ({ ...needle, pieces: piecesOf(needle.bytes) }))
  const found: Found[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    // Of a browser that runs a file may be gone by now.
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return undefined
    })
    if (content === undefined) continue
    const inPieces = /\.(ldb|sst)$/.test(entry.name)
    for (const { secret, form, bytes, pieces } of needles)
      if ((inPieces ? pieces : [bytes]).some((bytes) => content.includes(bytes)))
        found.push({ file: path.slice(folder.length + 1), secret, form })
  }
  return found
}

function formsOf(secret: string): (readonly [string, Buffer])[] {
  return [
    ['bytes', Buffer.from(secret)],
    ['UTF-16LE', Buffer.from(secret, 'utf16le')],
    ...base64Of(Buffer.from(secret)).map((text) => ['Base64', Buffer.from(text)] as const),
  ]
}

const base64Of = (bytes: Buffer) =>
  [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    // Without the characters that also depend on what stands before and after it.
    return encoded.slice(Math.ceil((offset * 8) / 6), -4)
  })

function piecesOf(bytes: Buffer): Buffer[] {
  const pieces = []
  for (let at = 0; at + PIECE_BYTES <= bytes.byteLength; at += PIECE_STEP_BYTES)
    pieces.push(bytes.subarray(at, at + PIECE_BYTES))
  return pieces
}
