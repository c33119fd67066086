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
 * A port that was free a moment ago: the wanted one, or any for 0.
 *
 * @param timeoutMs how long to wait for an owner that may just be ending
 */
export async function freePort(use: PortUse, timeoutMs = 0): Promise<number> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const probe = createServer()
    try {
      const port = await listen(probe, use)
      await new Promise((resolve) => probe.close(resolve))
      return port
    } catch (error) {
      if (Date.now() >= deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

function portTaken({ port, wantedBy, option }: PortUse, cause: Error): BackendError {
  return new BackendError(
    'port-taken',
    `Port ${port} is taken, and ${wantedBy} needs it. End the program that uses it, or choose another port ` +
      `with ${option}.`,
    { cause },
  )
}
