/**
 * Bytes in the form that this browser stores soundly: a file-backed Blob in Chromium, an ArrayBuffer elsewhere
 * (WebKit: failing puts and empty uploads of stored Blobs; Firefox: a deleted record's Blob hangs its reader).
 */
export function payloadForm(bytes: ArrayBuffer): Blob | ArrayBuffer {
  return 'userAgentData' in navigator ? new Blob([bytes]) : bytes
}

/** The bytes again, whatever their form. */
export async function payloadBytes(stored: Blob | ArrayBuffer): Promise<ArrayBuffer> {
  return stored instanceof Blob ? stored.arrayBuffer() : stored
}
