import type { Lock } from '../ports/platform.ts'
import { never, type WorkerLifetime } from './worker-lifetime.ts'

/** The origin's Web Locks: one namespace for all workers and pages. */
export interface FakeLocks {
  /** The namespace as one worker sees it; its death frees what it holds. */
  lockOf(lifetime: WorkerLifetime): Lock
  /** A page takes the lock of its recording; returns how it lets go. */
  hold(name: string): () => void
  /** A script takes the lock from whoever holds it, and lets go at once; the holder is told, and its work goes on. */
  steal(name: string): void
}

export function fakeLocks(): FakeLocks {
  const held = new Map<string, Promise<void>>()
  const robbed = new Map<string, () => void>()

  const hold = (name: string) => {
    let release = () => {}
    const before = held.get(name) ?? Promise.resolve()
    const mine = new Promise<void>((resolve) => {
      release = resolve
    })
    const queue = Promise.all([before, mine]).then(() => undefined)
    held.set(name, queue)
    void queue.then(() => held.get(name) === queue && held.delete(name))
    return { before, release }
  }

  return {
    hold: (name) => hold(name).release,
    steal: (name) => robbed.get(name)?.(),
    lockOf: (lifetime) => ({
      async run(name, work) {
        if (lifetime.dead) return never()
        const { before, release } = hold(name)
        lifetime.onDeath(release)
        await lifetime.query(() => before)
        const stolen = new Promise<never>((_resolve, reject) => {
          robbed.set(name, () => {
            release()
            reject(new DOMException('The lock was stolen.', 'AbortError'))
          })
        })
        try {
          return await Promise.race([work(), stolen])
        } finally {
          release()
        }
      },
      released: (name) => lifetime.query(async () => held.get(name)),
    }),
  }
}
