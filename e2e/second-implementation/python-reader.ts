import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { repositoryRoot } from '../backend/repository-root.ts'
import { hex } from './bytes.ts'
import type { EvidenceWorld } from './evidence-world.ts'
import { REGISTRY, type FakeNode } from './fake-node.ts'
import type { Said } from './second-reader.ts'

const PYTHON = 'python3'

/** Why reader.py cannot run here; undefined where it can. */
export function noPython(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))'])
  return status === 0 ? undefined : 'needs Python 3.8 or later, as python3'
}

/** The reader in Python, in a process of its own; it answers one question after the other. */
export interface PythonReader {
  /** All that it says of the world that this node tells of. */
  read(world: EvidenceWorld, node: FakeNode): Promise<Said>
  /** The address that it gives these bytes. */
  address(bytes: Buffer): Promise<string>
  close(): void
}

export function startPythonReader(): PythonReader {
  const script = join(repositoryRoot(), 'e2e', 'second-implementation', 'reader.py')
  const child = spawn(PYTHON, ['-B', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (question: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    const { done, value } = await lines.next()
    if (done) throw new Error('reader.py ended; what it said stands above')
    return JSON.parse(value) as unknown
  }
  return {
    read: ({ name, group }, { rpcUrl, gateway }) =>
      ask({
        rpc: rpcUrl,
        registry: REGISTRY,
        gateway,
        name: hex(name),
        groupKey: hex(group.privateKey),
      }) as Promise<Said>,
    address: (bytes) => ask({ address: hex(bytes) }) as Promise<string>,
    close: () => child.kill(),
  }
}
