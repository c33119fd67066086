import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLink, type Link } from './link.ts'

const BYTES_PER_SEC = 1_000_000
const ROUND_TRIP_MS = 120

/** Answers each byte `?` with one, and counts the others. */
let server: Server
let link: Link
let received: number

beforeEach(async () => {
  received = 0
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      received += bytes.byteLength
      if (bytes.at(-1) === 0x3f) socket.write('!')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  link = await openLink({ port, bytesPerSec: BYTES_PER_SEC, roundTripMs: ROUND_TRIP_MS })
})
afterEach(async () => {
  await link.close()
  await new Promise((resolve) => server.close(resolve))
})

/** Sends so many bytes and waits for the answer to the last one: ms. */
async function exchange(socket: Socket, sizeBytes: number): Promise<number> {
  const began = performance.now()
  const answered = new Promise((resolve) => socket.once('data', resolve))
  const bytes = Buffer.alloc(sizeBytes)
  bytes[sizeBytes - 1] = 0x3f
  socket.write(bytes)
  await answered
  return performance.now() - began
}

const dial = () => {
  const socket = connect({ port: link.port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  return socket
}

/**
 * Nothing may be faster than the link, ever. How much slower it is depends on how busy the machine is, so that there it
 * is enough if it is quick once.
 */
const quickOnce = (measure: () => Promise<number>, mostMs: number) =>
  expect.poll(measure, { interval: 0 }).toBeLessThan(mostMs)

describe('a shaped link', () => {
  it('takes a round trip for an exchange, and one more for a new connection', async () => {
    const first = () => exchange(dial(), 1)
    expect(await first()).toBeGreaterThanOrEqual(2 * ROUND_TRIP_MS - 5)
    await quickOnce(first, 3 * ROUND_TRIP_MS)
    const socket = dial()
    await exchange(socket, 1)
    const later = () => exchange(socket, 1)
    expect(await later()).toBeGreaterThanOrEqual(ROUND_TRIP_MS - 5)
    await quickOnce(later, 2 * ROUND_TRIP_MS)
  })

  it('has its rate, and counts what it carried', async () => {
    const socket = dial()
    await exchange(socket, 1)
    const before = link.upBytes
    const tookMs = await exchange(socket, BYTES_PER_SEC)
    expect(tookMs).toBeGreaterThanOrEqual(1_000 + ROUND_TRIP_MS - 5)
    expect(link.upBytes - before).toBe(BYTES_PER_SEC)
    expect(received).toBe(BYTES_PER_SEC + 1)
    await quickOnce(() => exchange(socket, BYTES_PER_SEC / 10), 200 + ROUND_TRIP_MS)
  })

  it('shares its rate among its connections', async () => {
    const sockets = [dial(), dial()]
    await Promise.all(sockets.map((socket) => exchange(socket, 1)))
    const began = performance.now()
    const took = await Promise.all(sockets.map((socket) => exchange(socket, BYTES_PER_SEC / 2)))
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_000 + ROUND_TRIP_MS - 5)
    // In turns: neither waits until the other is done.
    expect(Math.min(...took)).toBeGreaterThan(700)
  })

  it('cuts the far side off when the near side is gone', async () => {
    const gone = new Promise<void>((resolve) =>
      server.once('connection', (far: Socket) => far.once('close', () => resolve())),
    )
    const socket = dial()
    await exchange(socket, 1)
    socket.destroy()
    await gone
  })
})
