import { appendFileSync, cpSync, existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Visit } from './app.ts'
import { brokenAt } from './leveldb-log.ts'

/** A page has found that a database which nobody deletes has lost what was durable in it. */
export interface Wiped {
  /** ms since the epoch: what is older belongs to sessions that the device cannot know. */
  readonly atMs: number
  /** In words: what the page found, what the browser said, and which killed one had left its databases broken. */
  readonly words: string
  /** Chromium found them broken and threw them away, as it says itself; and a browser that was killed had left them so. */
  readonly isExplained: boolean
}

/**
 * What tells, once something is wrong, whether browser, app or library was it: what happened in order, what each browser
 * said, and the databases that a killed one left broken. All of it stays in the folder.
 */
export interface Evidence {
  note(what: string, details?: unknown): void
  /** A browser says something. */
  heard(said: Buffer): void
  /** A browser was killed. */
  killed(): void
  /** A page has come up. */
  visited(visit: Visit): void
  wiped(): readonly Wiped[]
  /** Which browsers that were killed left their databases broken, and those that were there after the last kill. */
  torn(): { readonly ever: readonly string[]; readonly last: readonly string[] }
  keep(name: string, what: unknown): Promise<void>
}

export async function openEvidence(folder: string, profile: string): Promise<Evidence> {
  await mkdir(folder, { recursive: true })
  /** What each browser said, the one that runs last. */
  const said = ['']
  const losses: { atMs: number; visit: Visit; browser: number; broken: readonly string[] }[] = []
  let broken: string[] = []
  const ever: string[] = []
  let last: string[] = []
  /** The last visit that its page has told of, which is durable. */
  let known = 0
  const note = (what: string, details?: unknown) => {
    const line = JSON.stringify({ atMs: Date.now(), browser: said.length, what, details })
    appendFileSync(join(folder, 'events.ndjson'), `${line}\n`)
  }
  return {
    note,
    heard(more) {
      said[said.length - 1] += more.toString()
      appendFileSync(join(folder, `browser-${said.length}.txt`), more)
    },
    killed() {
      const kept = join(folder, `databases-${said.length}`)
      last = []
      for (const [path, log] of logsIn(profile)) {
        const at = brokenAt(log)
        if (at === undefined) continue
        last.push(`browser ${said.length} left ${basename(path)} broken at byte ${at} of ${log.length}`)
        cpSync(dirname(path), kept, { recursive: true })
      }
      broken.push(...last)
      ever.push(...last)
      note('killed', { broken })
      said.push('')
    },
    visited(visit) {
      note('visited', visit)
      if (visit.inDatabase < known) {
        losses.push({ atMs: Date.now(), visit, browser: said.length - 1, broken })
        broken = []
      }
      known = visit.number
    },
    torn: () => ({ ever, last }),
    wiped: () =>
      losses.map(({ atMs, visit, browser, broken }) => {
        const found = `a page found ${visit.inDatabase} visits in its database and ${visit.inCache} beside it`
        const told = said[browser]!.split('\n').filter((line) => /indexed_db.*corrupt/i.test(line))
        return {
          atMs,
          words: [found, ...broken, ...told].join('; '),
          isExplained: visit.inCache > 0 && broken.length > 0 && told.length > 0,
        }
      }),
    keep: (name, what) => writeFile(join(folder, `${name}.json`), JSON.stringify(what, undefined, 1)),
  }
}

/** The write-ahead logs of a profile's databases, none where the browser keeps them otherwise. */
export function logsIn(profile: string): [path: string, log: Buffer][] {
  const folder = join(profile, 'Default', 'IndexedDB')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.leveldb\W\d+\.log$/.test(path))
    .map((path) => [join(folder, path), readFileSync(join(folder, path))])
}
