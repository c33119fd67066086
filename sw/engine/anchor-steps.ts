import type { SessionRecord } from '../core/record.ts'
import type { Anchor } from '../ports/anchor.ts'
import type { Context } from './context.ts'
import { watchSettled } from './watch.ts'
import { witnessStep } from './witness.ts'

/** What an engine with an anchor works with. */
export interface AnchoredContext extends Context {
  readonly anchor: Anchor
}

/** What of the engine's work an anchor brings along. */
export interface AnchorSteps {
  /** Brings the newest head of a session to the chain, or sees that it is there. */
  witness(context: AnchoredContext, session: SessionRecord, signal: AbortSignal): Promise<void>
  /** Looks whether the chain still holds what has settled. */
  watch(context: AnchoredContext, signal: AbortSignal): Promise<void>
}

/** How the engine goes about a chain. */
export const anchorSteps: AnchorSteps = { witness: witnessStep, watch: watchSettled }
