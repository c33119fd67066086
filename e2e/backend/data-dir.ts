import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BackendError, systemCode } from './backend-error.ts'

/** Where the backend keeps what, in its data folder. */
export interface DataDir {
  readonly root: string
  readonly blocks: string
  readonly pins: string
  readonly chainState: string
  readonly chainCache: string
  readonly registry: string
  readonly journal: string
  readonly tus: string
  readonly tusPlain: string
  readonly put: string
  readonly pinata: string
  readonly resumable: string
  readonly resumableMute: string
  readonly ledger: string
  /** Give the folder up. */
  unlock(): Promise<void>
}

/** Take the folder for this process, and empty it of an earlier backend's data if `fresh`. */
export async function openDataDir(path: string, fresh: boolean): Promise<DataDir> {
  const root = resolve(path)
  await mkdir(root, { recursive: true })
  const unlock = await lock(root)
  if (fresh) {
    for (const name of [
      'ipfs',
      'chain',
      'relay',
      'tus',
      'tus-plain',
      'put',
      'pinata',
      'resumable',
      'resumable-mute',
      'ledger.ndjson',
    ]) {
      await rm(join(root, name), { recursive: true, force: true })
    }
  }
  const layout: DataDir = {
    root,
    blocks: join(root, 'ipfs', 'blocks'),
    pins: join(root, 'ipfs', 'pins'),
    chainState: join(root, 'chain', 'state.json'),
    chainCache: join(root, 'chain', 'cache'),
    registry: join(root, 'chain', 'registry.json'),
    journal: join(root, 'relay'),
    tus: join(root, 'tus'),
    tusPlain: join(root, 'tus-plain'),
    put: join(root, 'put'),
    pinata: join(root, 'pinata'),
    resumable: join(root, 'resumable'),
    resumableMute: join(root, 'resumable-mute'),
    ledger: join(root, 'ledger.ndjson'),
    unlock,
  }
  for (const folder of [
    'blocks',
    'pins',
    'chainCache',
    'journal',
    'tus',
    'tusPlain',
    'put',
    'pinata',
    'resumable',
    'resumableMute',
  ] as const) {
    await mkdir(layout[folder], { recursive: true })
  }
  return layout
}

/** One backend for each folder: a file that names its owner, void once that process is gone. */
async function lock(root: string): Promise<() => Promise<void>> {
  const path = join(root, 'backend.lock')
  // Linked into place, so that nobody ever reads a lock without its owner.
  const draft = `${path}.${process.pid}-${randomUUID()}`
  await writeFile(draft, `${process.pid} ${startOf(process.pid)}`)
  for (;;) {
    try {
      await link(draft, path)
      await rm(draft)
      return () => rm(path, { force: true })
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    const owner = await readFile(path, 'utf8').catch(() => '')
    const [pid = '0', started = ''] = owner.split(' ')
    if (isAlive(Number(pid), started)) {
      await rm(draft)
      throw new BackendError(
        'data-dir-busy',
        `A backend (process ${pid}) is already running on ${root}. End it, or choose another data folder.`,
      )
    }
    await rm(path, { force: true })
  }
}

function isAlive(pid: number, started: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false
  }
  return startOf(pid) === started
}

/** Tells a process from a later one under the same id, where the system says when processes began. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
