/** In bytes of UTF-8: what a session's first entry holds (docs/evidence-format.md). */
const MAX_MIME_TYPE_BYTES = 255

/** 1 to 255 bytes. */
export const isMimeType = (value: unknown): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  // First, because encoding a huge text would cost memory.
  value.length <= MAX_MIME_TYPE_BYTES &&
  new TextEncoder().encode(value).length <= MAX_MIME_TYPE_BYTES
