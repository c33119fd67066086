import type { Cid, SessionName } from '../protocol/ids.ts'

/** What a place says of one object. */
export type Found =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'none'; readonly reason: string }
  /** It has more than `maxBytes`. */
  | { readonly kind: 'too-long' }
  /** It cannot be asked, which says nothing about the object. */
  | {
      readonly kind: 'silent'
      readonly reason: string
      readonly cause?: unknown
      /** It is busy, and asks to be asked again no sooner than that. */
      readonly retryAfterMs?: number | undefined
    }

const KINDS: readonly unknown[] = ['bytes', 'none', 'too-long', 'silent'] satisfies Found['kind'][]

/** Whether this is an answer at all: an app's own source may give anything. */
export const isFound = (value: unknown): value is Found =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  KINDS.includes(value.kind) &&
  (value.kind !== 'bytes' || ('bytes' in value && value.bytes instanceof Uint8Array))

/** What is asked for. */
export interface Asked {
  readonly maxBytes: number
  /** How many bytes it should have; its word for nothing. */
  readonly sizeBytes?: number
  readonly signal: AbortSignal
}

/**
 * A place where objects lie under their content address: a gateway, a folder, a file. It is not trusted with anything:
 * what it gives is recomputed, and where it lies the next one is asked.
 */
export interface ObjectSource {
  /** For people: where it was looked for. */
  readonly name: string
  /** Settles in time; rejects with the signal's reason alone. */
  get(cid: Cid, asked: Asked): Promise<Found>
  /**
   * The newest signed head that it has of a session, 313 bytes, for readers that ask no chain. Absent: it knows objects by
   * their addresses alone.
   */
  newestHead?(name: SessionName, asked: Asked): Promise<Found>
}
