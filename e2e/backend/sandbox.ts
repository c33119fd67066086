import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBackend, type Backend, type BackendOptions } from './index.ts'
import { repositoryRoot } from './repository-root.ts'

/** A data folder of its own, and backends on it: for the tests that run in Node. */
export interface Sandbox {
  readonly dataDir: string
  /** What the backends of this sandbox logged. */
  readonly lines: string[]
  /** Called with each further line. */
  told: (line: string) => void
  start(options?: Partial<BackendOptions>): Promise<Backend>
  /** Stop what still runs, and delete the folder. */
  clear(): Promise<void>
}

/** One place for all, so that the tests compile the contract once. */
export const ARTIFACTS = join(repositoryRoot(), 'dist', 'e2e', 'artifacts')

/** Blocks are mined by the tests: the clock brings one a minute. The relay looks at the chain when it is asked. */
export async function sandbox(): Promise<Sandbox> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-backend-'))
  const running: Backend[] = []
  const lines: string[] = []
  const box: Sandbox = {
    dataDir,
    lines,
    told: () => undefined,
    async start(options = {}) {
      const log = (line: string) => {
        lines.push(line)
        box.told(line)
      }
      const backend = await startBackend({
        dataDir,
        artifactDir: ARTIFACTS,
        port: 0,
        chainPort: 0,
        blockTimeSec: 60,
        relayLooksEveryMs: Infinity,
        log,
        ...options,
      })
      running.push(backend)
      return backend
    },
    async clear() {
      for (const backend of running) await backend.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return box
}
