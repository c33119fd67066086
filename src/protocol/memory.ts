// A browser collects garbage once there are enough bytes of buffers (64 MiB in Chromium, page and worker apart), and
// counts no Blob. So a large file would cost that much twice, and its Blobs would lie about for as long.

/** No larger buffer is made, however much is to be counted: not every device has more at a piece. */
const MAX_BYTES = 32 * 1024 * 1024

/** What the worker has read counts this many times: copies and the request's body come after it. Found by trial, at 200 MiB. */
export const READ_COUNTS = 7

/** Once so much was sent unread it counts, bytes: what its requests leave behind took 105 MiB after 2 GiB, and takes 45 so. */
export const UNREAD_BYTES = 128 * 1024 * 1024

/** Frees these buffers at once, and detaches them: what is sent to a closed port is nobody's. */
export function free(...buffers: ArrayBuffer[]): void {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  port1.postMessage(undefined, buffers)
  port1.close()
}

/**
 * Has the browser count this many bytes until it collects them. Nobody touches them, so they take no memory, and
 * garbage is collected the sooner.
 */
export function weigh(thing: Blob | ArrayBuffer, bytes: number): void {
  try {
    Object.assign(thing, { weight: new ArrayBuffer(Math.min(bytes, MAX_BYTES)) })
  } catch {
    // There is no room for it: then garbage is collected anyway.
  }
}
