/** Whether it is Chromium. */
export const keepsBlobs = () => 'userAgentData' in navigator

/**
 * Bytes in the form that this browser stores soundly: a file-backed Blob in Chromium, an ArrayBuffer elsewhere
 * (WebKit: failing puts and empty uploads of stored Blobs; Firefox: a deleted record's Blob hangs its reader).
 *
 * @param posted the same bytes as the page posted them: Chromium has them outside of this worker already
 */
export function payloadForm(bytes: ArrayBuffer, posted?: Blob): Blob | ArrayBuffer {
  return keepsBlobs() ? (posted ?? new Blob([bytes])) : bytes
}
