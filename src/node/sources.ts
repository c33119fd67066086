import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { car } from '../verify/car.ts'
import { refuse } from '../verify/options.ts'
import type { ObjectSource } from '../verify/index.ts'

/** A folder in which each object is a file that has its address as a name. */
export const folder = (path: string): ObjectSource => ({
  name: pathOf(path),
  async get(cid, { maxBytes, signal }) {
    const file = join(path, cid)
    try {
      const found = await stat(file)
      // A pipe, or a device, has no size, and need have no end.
      if (!found.isFile()) return { kind: 'none', reason: 'what the folder has there is no file' }
      if (found.size > maxBytes) return { kind: 'too-long' }
      return { kind: 'bytes', bytes: new Uint8Array(await readFile(file, { signal })) }
    } catch (cause) {
      signal.throwIfAborted()
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      // Where the folder itself is not there, nothing is said of the object.
      const isThere =
        isMissing &&
        (await stat(path).then(
          () => true,
          () => false,
        ))
      return isThere
        ? { kind: 'none', reason: 'the folder has no such file' }
        : { kind: 'silent', reason: (cause as Error).message, cause }
    }
  },
})

/** A CAR file on the disk (version 1). */
export function carFile(path: string): ObjectSource {
  let opened: Promise<ObjectSource> | undefined
  const openFile = async () => {
    const { size } = await stat(path)
    return car({ size, slice: (from, to) => ({ arrayBuffer: () => readAt(path, from, to) }) }, path)
  }
  return {
    name: pathOf(path),
    async get(cid, asked) {
      try {
        opened ??= openFile()
        return await (await opened).get(cid, asked)
      } catch (cause) {
        asked.signal.throwIfAborted()
        return { kind: 'silent', reason: (cause as Error).message, cause }
      }
    },
  }
}

/** @throws VerificationError `bad-input` */
const pathOf = (path: unknown): string => (typeof path === 'string' ? path : refuse('The path', 'a text'))

/** Opened for each part: nobody says when a source is needed no more. */
async function readAt(path: string, from: number, to: number): Promise<ArrayBuffer> {
  const file = await open(path)
  try {
    const bytes = new Uint8Array(to - from)
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, from + at)
      if (bytesRead === 0) throw new Error('The file has become shorter')
      at += bytesRead
    }
    return bytes.buffer
  } finally {
    await file.close()
  }
}
