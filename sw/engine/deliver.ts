import type { Attempt, Floors, Transport, Upload } from '../ports/transport.ts'

/** What one delivery needs of whoever keeps its record. */
export interface Delivery {
  /** A request with these bytes has left before, so its outcome is asked for first. */
  readonly sent: boolean
  /** What the transport remembered of this upload. */
  readonly resumeToken?: string | undefined
  /** All bytes, checked. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>
  /** Stores the intent to send; falsy where the upload is not wanted any more. */
  intend(): Promise<unknown>
  /** Stores a resume token of the transport. */
  saveResumeToken(resumeToken: string): Promise<void>
  /** Tells how much the store has, and whether it was sent just now. */
  progress?(offsetBytes: number, sent: boolean): void
  readonly floors?: Floors
}

/**
 * Brings an object to its store: asks what is there if anything may be, sends the rest, and proves the copy.
 *
 * @returns false where the upload was not wanted any more; true means proved
 */
export async function deliver(
  transport: Transport,
  upload: Upload,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<boolean> {
  const { sent, resumeToken, floors } = delivery
  let sending = false
  const attempt: { -readonly [Name in keyof Attempt]: Attempt[Name] } = {
    signal,
    resumeToken,
    floors,
    async saveResumeToken(text) {
      await delivery.saveResumeToken(text)
      attempt.resumeToken = text
    },
    progress: (offsetBytes) => delivery.progress?.(offsetBytes, sending),
  }
  const held = sent ? await transport.probe(upload, attempt) : ({ kind: 'nothing' } as const)
  let proved = held.kind === 'all' && held.proved
  if (held.kind !== 'all') {
    const bytes = await delivery.bytes()
    if (!sent && !(await delivery.intend())) return false
    sending = true
    proved = (await transport.send(upload, bytes, held, attempt)) === 'proved'
  }
  if (!proved) await transport.verify(upload, attempt)
  return true
}
