import { connect, createServer, type Socket } from 'node:net'
import { gate } from '../backend/gate.ts'
import { listen } from '../backend/ports.ts'

/** A link that stops in the middle of what a client sends. */
export interface StallingLink {
  readonly port: number
  /** Settles once one connection has brought as many bytes as it may. */
  readonly stalled: Promise<void>
  /** From now on all goes through. */
  release(): void
  close(): Promise<void>
}

/**
 * @param to port of the far end on 127.0.0.1; who is not there, or goes, takes the client's connection along
 * @param mostBytes so many bytes of a connection go through until it is released
 */
export async function stallingLink(to: number, mostBytes: number): Promise<StallingLink> {
  const { opened: stalled, open: tell } = gate()
  const sockets = new Set<Socket>()
  let holds = true
  const server = createServer((near) => {
    const far = connect({ port: to, host: '127.0.0.1' })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    far.pipe(near)
    let passed = 0
    near.on('data', (bytes: Buffer) => {
      const rest = holds ? Math.max(0, mostBytes - passed) : bytes.length
      passed += bytes.length
      far.write(bytes.subarray(0, rest))
      if (rest >= bytes.length) return
      near.pause()
      tell()
    })
  })
  const port = await listen(server, { port: 0, wantedBy: 'the stalling link', option: '' })
  return {
    port,
    stalled,
    release() {
      holds = false
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
