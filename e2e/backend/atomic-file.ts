import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

let writes = 0

/** Write a whole file or none of it: a death at any point leaves the old content or the new. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}-${(writes += 1)}.tmp`
  const file = await open(draft, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
