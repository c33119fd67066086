import type { Lock } from '../ports/platform.ts'
import { never, type WorkerLifetime } from './worker-lifetime.ts'

/** The origin's Web Locks: one namespace for all workers and pages. */
export interface FakeLocks {
  /** The namespace as one worker sees it; its death frees what it holds. */
  lockOf(lifetime: WorkerLifetime): Lock
  /** A page takes the lock of its recording; returns how it lets go. */
  hold(name: string): () => void
  /** A script takes the lock from whoever holds it, and lets go at once; the holder is told. */
  steal(name: string): void
  /** The lock is free though its holder goes on, who is not told: what no browser should do. */
  lose(name: string): void
  /** How the browser’s own locks fail, if they do: no request is ever granted, or each is refused. */
  broken?: 'silent' | 'refuses' | undefined
}

/** Who has a lock, or waits for it. */
interface Request {
  granted(): void
  robbed(): void
}

export function fakeLocks(): FakeLocks {
  const holders = new Map<string, Request>()
  const queues = new Map<string, Request[]>()

  const next = (name: string) => {
    const first = holders.has(name) ? undefined : queues.get(name)?.shift()
    if (!first) return
    holders.set(name, first)
    first.granted()
  }
  const ask = (name: string, request: Request, isFirst?: boolean) => {
    const queue = queues.get(name) ?? []
    queues.set(name, isFirst ? [request, ...queue] : [...queue, request])
    next(name)
  }
  const release = (name: string, request: Request) => {
    queues.set(
      name,
      (queues.get(name) ?? []).filter((other) => other !== request),
    )
    if (holders.get(name) === request) holders.delete(name)
    next(name)
  }
  const rob = (name: string) => {
    const holder = holders.get(name)
    holders.delete(name)
    holder?.robbed()
  }

  const locks: FakeLocks = {
    hold(name) {
      const request: Request = { granted: () => {}, robbed: () => {} }
      ask(name, request)
      return () => release(name, request)
    },
    steal(name) {
      rob(name)
      next(name)
    },
    lose(name) {
      holders.delete(name)
      next(name)
    },
    lockOf: (lifetime) => ({
      async run(name, work, steal) {
        if (lifetime.dead || locks.broken === 'silent') return never()
        if (locks.broken === 'refuses') throw new Error('No locks here.')
        if (steal) rob(name)
        return new Promise((resolve, reject) => {
          const request: Request = {
            granted: () =>
              void work()
                .finally(() => release(name, request))
                .then(resolve, reject),
            robbed: () => reject(aborted('The lock was stolen.')),
          }
          lifetime.onDeath(() => release(name, request))
          ask(name, request, steal)
        })
      },
      released: (name) =>
        lifetime.query(
          () =>
            new Promise<void>((resolve) => {
              if (locks.broken) return
              const request: Request = {
                granted() {
                  release(name, request)
                  resolve()
                },
                robbed: () => {},
              }
              ask(name, request)
            }),
        ),
    }),
  }
  return locks
}

const aborted = (message: string) => Object.assign(new Error(message), { name: 'AbortError' })
