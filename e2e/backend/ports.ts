import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { BackendError, systemCode } from './backend-error.ts'

/** Which part wants a port, and the command-line option that gives it another. */
export interface PortUse {
  readonly port: number
  readonly wantedBy: string
  readonly option: string
}

/** Listen on 127.0.0.1; a port that is taken gives an error that says what to do. */
export async function listen(server: Server, use: PortUse): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const refused = (cause: Error) => {
      server.off('listening', ready)
      reject(systemCode(cause) === 'EADDRINUSE' ? portTaken(use, cause) : cause)
    }
    const ready = () => {
      server.off('error', refused)
      resolve()
    }
    server.once('error', refused)
    server.once('listening', ready)
    server.listen(use.port, '127.0.0.1')
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : use.port
}

/**
 * Systems give none of these to who asks for any: so what stops for a while finds its port free when it starts again,
 * however many tests open servers meanwhile.
 */
const KEPT_PORTS = [20_000, 26_000] as const

/**
 * A process that is given one of them listens to the port so far above it until it ends: no other process, of this run or
 * another, is given the same, though nobody listens to it yet, or for a while.
 */
const TAKEN_ABOVE = 6_000

/** Others may be in use. */
const MAX_TRIES = 100

/**
 * A port that was free a moment ago: the wanted one, or one of `KEPT_PORTS` for 0, which is given to nobody else.
 *
 * @param timeoutMs how long to wait for an owner that may just be ending
 * @param pick one of `KEPT_PORTS`
 */
export async function freePort(
  use: PortUse,
  timeoutMs = 0,
  pick: () => number = () => randomInt(...KEPT_PORTS),
): Promise<number> {
  const deadline = Date.now() + timeoutMs
  for (let tries = 1; ; tries++) {
    const isAny = use.port === 0
    try {
      return await (isAny ? take({ ...use, port: pick() }) : probe(use))
    } catch (error) {
      if (isAny ? tries >= MAX_TRIES : Date.now() >= deadline) throw error
      if (!isAny) await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

/** @throws BackendError `port-taken` where somebody listens to it, or it was given to somebody */
async function take(use: PortUse): Promise<number> {
  const taken = createServer()
  await listen(taken, { ...use, port: use.port + TAKEN_ABOVE })
  taken.unref()
  return await probe(use).catch((error: unknown) => {
    taken.close()
    throw error
  })
}

/** @throws BackendError `port-taken` where somebody listens to it */
async function probe(use: PortUse): Promise<number> {
  const server = createServer()
  const port = await listen(server, use)
  await new Promise((resolve) => server.close(resolve))
  return port
}

function portTaken({ port, wantedBy, option }: PortUse, cause: Error): BackendError {
  return new BackendError(
    'port-taken',
    `Port ${port} is taken, and ${wantedBy} needs it. End the program that uses it, or choose another port ` +
      `with ${option}.`,
    { cause },
  )
}
