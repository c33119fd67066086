import type { WireError } from '../../src/protocol/errors.ts'
import type { ChunkId } from '../../src/protocol/ids.ts'
import type { HandedNote } from '../../src/protocol/messages.ts'
import type { SessionEnding } from '../../src/protocol/snapshot.ts'
import type { ChunkEvent } from './chunk-machine.ts'
import type { Failed, UnderWay } from './effort.ts'
import type {
  Anchored,
  ChunkRecord,
  HeadRecord,
  Listed,
  Listing,
  SessionRecord,
  TrialKind,
} from './record.ts'
import type { DueTrial } from './try-again.ts'
import type { WitnessEvent } from './witnessing.ts'

/** What can happen to a session. Its chunks change with it, in the same transaction. */
export type SessionEvent =
  | { readonly type: 'session-started' }
  | { readonly type: 'chunk-admitted'; readonly chunk: ChunkRecord }
  | ({ readonly type: 'noted' } & HandedNote)
  | { readonly type: 'chunk'; readonly id: ChunkId; readonly event: ChunkEvent }
  /** `indexes`: how many chunks its page has cut, where that is what tells the end. */
  | {
      readonly type: 'session-ended'
      readonly ending: Exclude<SessionEnding, 'recording'>
      readonly indexes?: number | undefined
      /** The app is to be told once it is settled. */
      readonly tell?: boolean
    }
  /** `by`: how, where it is no person's choice; that stays. */
  | { readonly type: 'paused'; readonly by?: SessionRecord['paused'] }
  /** Whatever is parked, or waits, is tried now; a person or the app (`byPerson`) has it go on after a pause too. */
  | { readonly type: 'resumed'; readonly byPerson?: boolean }
  /** The app has it go where this worker goes: of what is not confirmed nothing is proved there. */
  | { readonly type: 'adopted'; readonly here: string }
  /**
   * It does not go on, and passes until then (ms since the epoch): whom it goes to next has asked another session for a
   * wait, or does not answer.
   */
  | { readonly type: 'must-wait'; readonly error: WireError; readonly untilMs: number }
  /** Its chunks are to wait with those that were refused, or need not any more. */
  | { readonly type: 'held-back' }
  /** It counts other chunks than there are, or the mark is lost by which it is found. */
  | { readonly type: 'recounted' }
  /** The time of the next trial of what is parked has come. */
  | ({ readonly type: 'trial-due' } & DueTrial)
  /**
   * There is hope for what is parked for these: a person arrived; or an upload of another session went through, which may
   * go elsewhere, or as somebody else, but its sign-in may be this one's.
   */
  | { readonly type: 'hoped'; readonly of: readonly TrialKind[] }
  /** A page was made of the entries that no page has yet: up to `listing.tree.size`. */
  | { readonly type: 'listing-began'; readonly of: Listing }
  /** `of`: the page as it was read; undefined: none could be made. Where another one is in flight by now, nothing changes. */
  | { readonly type: 'listing'; readonly of: Listing | undefined; readonly event: UnderWay | Failed }
  /** That page is proved to be stored, and its head is signed. */
  | {
      readonly type: 'page-stored'
      readonly of: Listing
      readonly listed: Listed
      readonly head: Omit<HeadRecord, 'provedAtMs'>
    }
  | { readonly type: 'witness'; readonly event: WitnessEvent }
  /** The chain holds this head, at the wanted depth and in its newest block. */
  | { readonly type: 'anchor-confirmed'; readonly anchored: Anchored }
  /** The chain was looked at for what settled the session; undefined: that is gone, and is witnessed again. */
  | { readonly type: 'anchor-seen'; readonly anchored: Anchored | undefined }
  | { readonly type: 'completion'; readonly event: CompletionEvent }
  | { readonly type: 'discarded' }

/** What can come of telling the app that a session has settled. */
export type CompletionEvent =
  /** It knows that this many entries are. */
  { readonly type: 'told'; readonly size: number } | Failed
