import { randomBytes } from 'node:crypto'
import { link, lstat, open, rename, rm } from 'node:fs/promises'

/** A file that is there whole or not at all. */
export interface OutputFile {
  write(bytes: Uint8Array): Promise<void>
  /**
   * Gives it its name.
   *
   * @throws Error that says where it is, where it cannot get that
   */
  keep(): Promise<void>
  /** Leaves nothing behind of what is not whole. */
  drop(): Promise<void>
}

/**
 * A new file, written under a name of its own beside the one that it gets at the end. One that is there already is
 * replaced only where that is wanted.
 *
 * @throws Error where it is there, or the folder cannot be written to
 */
export async function outputFile(path: string, isReplacing: boolean): Promise<OutputFile> {
  if (path === '') throw new Error('The file has no name')
  const found = await lstat(path).catch(() => undefined)
  if (found && !isReplacing) throw new Error(`${path} is there already; --force replaces it`)
  // What takes the place of a folder, or of a device, would not be there in the end, or be there for ever.
  if (found && !found.isFile() && !found.isSymbolicLink()) throw new Error(`${path} is there, and is no file`)
  const part = `${path}.${randomBytes(4).toString('hex')}.part`
  const file = await open(part, 'wx')
  let isWhole = false

  async function name(): Promise<void> {
    if (isReplacing) return rename(part, path)
    // Unlike a renaming, this fails where somebody has made the file meanwhile.
    const linked = await link(part, path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') throw new Error(`${path} was made meanwhile`)
        return false
      },
    )
    return linked ? rm(part) : rename(part, path)
  }

  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
    },
    async keep() {
      await file.sync()
      await file.close()
      isWhole = true
      await name().catch((cause: Error) => {
        throw new Error(`${cause.message}; the recording is in ${part}`, { cause })
      })
    },
    async drop() {
      // What is there whole, and could not get its name, is said to be there.
      if (isWhole) return
      await file.close().catch(() => {})
      await rm(part, { force: true })
    },
  }
}
