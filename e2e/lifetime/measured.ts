import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../backend/repository-root.ts'

/** Prints a line of figures, and keeps it in `.holdfast/lifetime/measured.txt`. */
export async function measured(line: string): Promise<void> {
  console.log(`  measured: ${line}`)
  const folder = join(repositoryRoot(), '.holdfast', 'lifetime')
  await mkdir(folder, { recursive: true })
  await appendFile(join(folder, 'measured.txt'), `${new Date().toISOString()} ${line}\n`)
}
