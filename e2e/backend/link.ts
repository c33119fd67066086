import { connect, createServer, type Socket } from 'node:net'
import { listen } from './ports.ts'

export interface LinkOptions {
  /** Port on 127.0.0.1 at the far end. */
  readonly port: number
  /** Of each direction, shared by all connections. */
  readonly bytesPerSec: number
  readonly roundTripMs: number
}

/** A link of limited bandwidth and with a delay, between a port of its own and another one. */
export interface Link {
  readonly port: number
  /** Bytes that left the near side so far: content, and all that the protocol adds. */
  readonly upBytes: number
  /** Another bandwidth from now on, for what is not under way yet. */
  shape(bytesPerSec: number): void
  close(): Promise<void>
}

/** The link serves its connections in turns so large. */
const FRAME_BYTES = 16 * 1024
/** What a sender may have on its way: the link's own queue, beside that of its socket. */
const QUEUE_BYTES = 256 * 1024

/**
 * A TCP proxy that shapes what goes through it. Each direction sends frames at its rate and delivers them half a round
 * trip later; a new connection waits one round trip, as for TCP's handshake. No loss and no slow start, so that what
 * it tells of a transport is an upper bound.
 */
export async function openLink({ port, bytesPerSec, roundTripMs }: LinkOptions): Promise<Link> {
  const sockets = new Set<Socket>()
  const up = direction(bytesPerSec, roundTripMs / 2)
  const down = direction(bytesPerSec, roundTripMs / 2)
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
      })
    }
    const shaken = performance.now() + roundTripMs
    up.connect(near, far, shaken)
    down.connect(far, near, 0)
  })
  const own = await listen(server, { port: 0, wantedBy: 'the shaped link', option: '' })
  return {
    port: own,
    get upBytes() {
      return up.sentBytes()
    },
    shape(bytesPerSec) {
      up.shape(bytesPerSec)
      down.shape(bytesPerSec)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** One direction: frames leave one after another, whoever they belong to. */
function direction(atFirst: number, delayMs: number) {
  let bytesPerSec = atFirst
  /** When the last frame has left. */
  let freeAtMs = 0
  let sent = 0
  const shape = (now: number) => {
    bytesPerSec = now
  }
  return { connect: connection, sentBytes: () => sent, shape }

  function connection(from: Socket, to: Socket, notBeforeMs: number): void {
    let queued = 0
    let underWay = 0
    let ended = false
    const finish = () => {
      if (ended && queued + underWay === 0) to.end()
    }
    from.on('data', (bytes: Buffer) => {
      queued += bytes.byteLength
      if (queued > QUEUE_BYTES) from.pause()
      void sendFrames(bytes)
    })
    from.on('end', () => {
      ended = true
      after(delayMs, finish)
    })
    from.on('close', () => {
      // Cut off: so is the other side, once what was under way has come through.
      if (!ended) after(delayMs, () => to.destroy())
    })

    let turn = Promise.resolve()
    function sendFrames(bytes: Buffer): Promise<void> {
      const readyAtMs = Math.max(performance.now(), notBeforeMs)
      turn = turn.then(async () => {
        // The link is free for others until then.
        await until(readyAtMs)
        for (let at = 0; at < bytes.byteLength; at += FRAME_BYTES) {
          const frame = bytes.subarray(at, at + FRAME_BYTES)
          // From when the frame was there, not from now: a timer that fires late does not slow the link down.
          freeAtMs = Math.max(freeAtMs, readyAtMs) + (frame.byteLength / bytesPerSec) * 1000
          await until(freeAtMs)
          sent += frame.byteLength
          queued -= frame.byteLength
          underWay += frame.byteLength
          if (queued <= QUEUE_BYTES) from.resume()
          after(delayMs, () => {
            underWay -= frame.byteLength
            if (!to.destroyed) to.write(frame)
            finish()
          })
        }
      })
      return turn
    }
  }
}

async function until(atMs: number): Promise<void> {
  const waitMs = atMs - performance.now()
  if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs))
}

function after(ms: number, work: () => void): void {
  setTimeout(work, ms)
}
