import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot } from '../backend/repository-root.ts'
import { NOTHING, type Counts, type Finding } from './share.ts'

/** How far a long run of one seed has come. */
export interface Progressed {
  /** Every random history below this number has been run. */
  readonly nextRun: number
  readonly counts: Counts
  readonly findings: readonly Finding[]
  readonly seconds: number
}

export const FROM_THE_BEGINNING: Progressed = { nextRun: 0, counts: NOTHING, findings: [], seconds: 0 }

/** Where the progress of one seed is kept; progress of other code counts for nothing. */
export interface StateFile {
  load(): Progressed
  save(progressed: Progressed): void
}

export function stateFile(
  seed: number,
  folder = join(repositoryRoot(), '.holdfast', 'simulate'),
  world = codeHash(join(repositoryRoot(), 'dist')),
): StateFile {
  const path = join(folder, `seed-${seed}.json`)
  return {
    load() {
      try {
        const saved = JSON.parse(readFileSync(path, 'utf8')) as { world: string } & Progressed
        return saved.world === world ? saved : FROM_THE_BEGINNING
      } catch {
        return FROM_THE_BEGINNING
      }
    },
    save(progressed) {
      mkdirSync(dirname(path), { recursive: true })
      // A process that is killed while it writes leaves the old one whole.
      writeFileSync(`${path}.new`, JSON.stringify({ world, ...progressed }))
      renameSync(`${path}.new`, path)
    },
  }
}

/** Names the built code of the engine and of its simulator. */
function codeHash(dist: string): string {
  const hash = createHash('sha256')
  for (const part of ['src', 'sw', 'e2e/simulate'])
    for (const file of readdirSync(join(dist, part), { recursive: true, encoding: 'utf8' }).toSorted())
      if (file.endsWith('.js') && !file.endsWith('.test.js'))
        hash.update(file).update(readFileSync(join(dist, part, file)))
  return hash.digest('hex')
}
