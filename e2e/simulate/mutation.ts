import type { AnchoredContext, Context } from '../../sw/engine/context.ts'
import type { Happening } from './history.ts'
import type { Outcome, WakeKind } from '../../sw/engine/drain.ts'

/** A way to break the engine from outside, so that the simulator can show that it would notice. */
export interface Mutation {
  readonly name: string
  /** What the oracle says of it. */
  readonly breaks: RegExp
  /** Where it would be rare: what happens in each history besides. */
  readonly besides?: readonly Happening[]
  /** One for each device: what it keeps outlives workers. */
  create(): {
    readonly context?: (context: AnchoredContext) => Context
    readonly outcome?: (kind: WakeKind, outcome: Outcome) => Outcome
    /** The chain takes heads that nobody of the session has signed. */
    readonly registryIgnoresSigner?: true
  }
}

export const NONE: Mutation = { name: 'none', breaks: /^$/, create: () => ({}) }
