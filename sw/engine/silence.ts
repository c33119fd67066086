import type { SessionId } from '../../src/protocol/ids.ts'
import type { Context } from './context.ts'
import { SILENCE_MS } from './limits.ts'

/** Requests to the store that are under way. */
export interface Delivering {
  readonly sessionId: SessionId
  /** Whether they have a lane: those of pages and heads need none. */
  readonly inLane: boolean
  /** When something was last heard of them, by `Clock.ticks`; */
  heardAtMs: number
  /** and when they are given up, ms since the epoch. */
  untilMs: number
}

/** What of them is silent: nothing has been heard of it for long. It goes on, is told, and holds up no other session. */
export function silenceIn({ delivering, clock }: Context, lanes: number) {
  const isSilent = ({ heardAtMs }: Delivering) => clock.ticks() - heardAtMs >= SILENCE_MS
  const inLanes = [...delivering].filter(({ inLane }) => inLane).slice(0, lanes)
  return {
    silent: [...delivering].filter(isSilent),
    /** Sessions with uploads in the lanes, where all of these are silent: one more may go beside them, of another session. */
    inLanes: inLanes.every(isSilent) ? inLanes.map(({ sessionId }) => sessionId) : [],
  }
}
