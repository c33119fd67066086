// A browser collects garbage once its buffers have some number of bytes (64 MiB in Chromium, page and worker apart), and
// counts no Blob among them. So a large file would cost that much twice, and its Blobs would stay for as long.

/** No buffer is made that is larger, however much is to be counted: not every device has more at a piece. */
const MOST_BYTES = 32 * 1024 * 1024

/** Frees these buffers at once, and detaches them: what is sent to a port that is closed is nobody's. */
export function free(...buffers: ArrayBuffer[]): void {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  port1.postMessage(undefined, buffers)
  port1.close()
}

/** Has the browser collect garbage as if so many bytes more were in use. They are never touched, so they are in no memory. */
export function collectSooner(bytes: number): void {
  try {
    // Bundlers leave out what is made for nothing, unless something is asked of it.
    new ArrayBuffer(Math.min(bytes, MOST_BYTES)).slice(0, 0)
  } catch {
    // There is no room for it, so it is collected anyway.
  }
}
