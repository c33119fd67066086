import { HoldfastError } from '../../src/protocol/errors.ts'
import type { UnderWay } from '../core/effort.ts'
import type { SessionRecord } from '../core/record.ts'
import type { Context } from './context.ts'
import type { InLane } from './lanes.ts'
import { storeChoice } from './store-choice.ts'
import { asRead } from './read-error.ts'
import { AT_ONCE_MS, HIDDEN_MS } from './limits.ts'
import { recordAnswer } from './circuits.ts'
import type { Delivering } from './silence.ts'
import { withTimeout, timeoutMsOf } from './with-timeout.ts'
import { counted } from './two-copies.ts'
import type { Attempt, Floors, RemoteState, Transport, Upload } from '../ports/transport.ts'

/** What one delivery needs of whoever keeps its record. */
export interface Delivery {
  /** A request with these bytes has left before, so its outcome is asked for first. */
  readonly sent?: boolean | undefined
  /** What the transport remembered of this upload. */
  readonly resumeToken?: string | undefined
  /** All bytes, checked. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>
  /** What keeps them, unread, where that can be sent; absent: they are to be checked. */
  unread?(): Promise<Blob | undefined>
  /** Stores what happens; falsy where the upload is not wanted any more. */
  record(event: UnderWay): Promise<unknown>
  /** Tells how much the store has, and whether it was sent just now. */
  progress?(offsetBytes: number, sent: boolean): void
  /** Where requests wait for their turn; absent: they do not. */
  readonly inLane?: InLane | undefined
}

/**
 * Brings an object of a session to the stores that this has chosen.
 *
 * @returns undefined where the upload was not wanted any more, or not now; true means proved
 */
export async function deliverFor(
  context: Context,
  session: SessionRecord,
  object: Omit<Upload, 'to' | 'labels'>,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<true | undefined> {
  const { transport, clock, delivering } = context
  const upload = { ...object, to: storeChoice(transport, session), labels: session.labels }
  const { inLane = (requests) => requests() } = delivery
  /** In no list, and without its times, until its requests are under way. */
  const own = { sessionId: session.id, inLane: !!delivery.inLane } as Delivering
  let reached: number | undefined
  let beganMs = 0
  const said: Delivery = {
    ...delivery,
    progress(offsetBytes, sent) {
      // The same again says nothing.
      if (offsetBytes !== reached) own.heardAtMs = clock.ticks()
      reached = offsetBytes
      delivery.progress?.(offsetBytes, sent)
    },
  }
  const isThere = await deliver(transport, upload, said, transport.floors?.(context), (requests) =>
    inLane(() =>
      withTimeout(clock, object.sizeBytes, signal, (until) => {
        beganMs = own.heardAtMs = clock.ticks()
        own.untilMs = clock.now() + timeoutMsOf(object.sizeBytes)
        delivering.add(own)
        until.addEventListener('abort', () => delivering.delete(own))
        return requests(until)
      }),
    ),
  ).catch((cause: HoldfastError | undefined) => {
    const isAtOnce = reached !== undefined && clock.ticks() - beganMs < AT_ONCE_MS
    // Who answers what is asked, and not what follows, refuses that behind CORS: no link is cut so soon.
    if (isAtOnce && delivery.sent && cause?.code === 'unreachable')
      throw new HoldfastError('unreachable', cause.message, { cause, retryAfterMs: HIDDEN_MS })
    throw cause
  })
  if (isThere) await recordAnswer(context, transport.name)
  return isThere
}

/** Runs requests within their limits; undefined where they are not to be made now. */
export type Within = (requests: (signal: AbortSignal) => Promise<true>) => Promise<true | undefined>

/**
 * Brings an object to its store: asks what is there if anything may be, sends the rest, and proves the copy. What is
 * sent for the first time is ready, and the intent stored, before it waits for its turn.
 *
 * @returns undefined where the upload was not wanted any more, or not now; true means proved
 */
export async function deliver(
  transport: Transport,
  upload: Upload,
  delivery: Delivery,
  floors: Floors | undefined,
  within: Within,
): Promise<true | undefined> {
  const { sent, resumeToken } = delivery
  let unread: Blob | undefined
  let ready: Uint8Array<ArrayBuffer> | undefined
  if (!sent) {
    unread = transport.sendUnread && (await delivery.unread?.())
    ready = unread ? undefined : await delivery.bytes()
    if (!(await delivery.record({ type: 'send-began' }))) return undefined
  }
  return within(async (signal) => {
    let sending = false
    const attempt: Attempt = {
      signal,
      resumeToken,
      floors,
      saveResumeToken: (text) => delivery.record({ type: 'resume-token-saved', resumeToken: text }),
      progress: (offsetBytes) => delivery.progress?.(offsetBytes, sending),
    }
    await counted(attempt, upload, !transport.stores, async (own, mayBeSent) => {
      const held: RemoteState | undefined = sent
        ? await asRead(() => transport.probe(upload, own))
        : { kind: 'nothing' }
      let proved = held?.proved
      try {
        if (lacks(held)) {
          await mayBeSent()
          sending = true
          const how =
            (unread && (await transport.sendUnread?.(upload, unread, own))) ??
            (await transport.send(upload, ready ?? (await delivery.bytes()), held, own))
          proved = how === 'proved'
        }
        // One that can prove nothing more has to have proved it: no word of a store is taken for a proof.
        if (!proved) await asRead(() => transport.verify!(upload, own))
      } catch (error) {
        // A Blob that cannot be read looks like a dead network, and one that has changed like damage on the way; what else
        // a server says is heard.
        if (unread && !signal.aborted && mayBeOfBytes(error)) await delivery.bytes()
        throw error
      }
    })
    return true
  })
}

/** Whether a store says that it lacks some of it. One of the app's own may answer anything: then `verify` finds out. */
export const lacks = (held: RemoteState | undefined): boolean =>
  held?.kind === 'nothing' || held?.kind === 'part'

/** Whether it could be the bytes' fault. What asks for a wait, or for a sign-in, is the destination's. */
const mayBeOfBytes = (error: unknown) => !/throttled|server-error|sign-in/.test((error as HoldfastError).code)
