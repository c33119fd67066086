import { createServer } from 'node:http'
import { listen } from '../backend/ports.ts'

/** What the app's server was told. */
export interface Told {
  /** The key of what has settled. */
  readonly key: string
  /** ms since the epoch. */
  readonly atMs: number
}

/** A request that is being held. */
export interface HeldCall {
  readonly arrived: Promise<void>
  release(): void
}

/** The server of an app, which its worker tells of what has settled. */
export interface AppServer {
  readonly url: string
  /** All that it took, oldest first; with what was taken before the answer was lost. */
  readonly told: readonly Told[]
  /** Holds the next call: before it is taken, or with the answer still to come. */
  hold(when: 'before' | 'after'): HeldCall
  /** Refuses the next call, and resolves once it has. */
  refuse(): Promise<void>
  /** Resolves once the worker's hook has heard an answer. */
  answerHeard(): Promise<void>
  close(): Promise<void>
}

/** Serves on a free port of this machine, for workers of any origin. */
export async function startAppServer(): Promise<AppServer> {
  const told: Told[] = []
  const holds: { when: 'before' | 'after'; arrive: () => void; released: Promise<void> }[] = []
  const refusals: (() => void)[] = []
  const listeners: (() => void)[] = []

  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app')
    if (pathname === '/heard') {
      for (const heard of listeners.splice(0)) heard()
      response.end()
      return
    }
    const refuse = refusals.shift()
    if (refuse) {
      response.writeHead(503).end()
      refuse()
      return
    }
    const hold = holds.shift()
    if (hold?.when === 'before') {
      hold.arrive()
      await hold.released
      // Whoever is gone has told nothing.
      if (response.destroyed) return
    }
    told.push({ key: searchParams.get('key') ?? '', atMs: Date.now() })
    if (hold?.when === 'after') {
      hold.arrive()
      await hold.released
    }
    response.end()
  })
  const port = await listen(server, { port: 0, wantedBy: 'the app’s server', option: '' })

  return {
    url: `http://127.0.0.1:${port}`,
    told,
    hold(when) {
      let [arrive, release] = [() => {}, () => {}]
      const arrived = new Promise<void>((resolve) => (arrive = resolve))
      const released = new Promise<void>((resolve) => (release = resolve))
      holds.push({ when, arrive, released })
      return { arrived, release }
    },
    refuse: () => new Promise((resolve) => refusals.push(resolve)),
    answerHeard: () => new Promise((resolve) => listeners.push(resolve)),
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
}
