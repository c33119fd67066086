import { HoldfastError } from '../../src/protocol/errors.ts'
import {
  PROTOCOL_VERSION,
  type Answers,
  type Reply,
  type Request,
  type RequestType,
} from '../../src/protocol/messages.ts'
import { chunkIdOf } from '../../src/protocol/ids.ts'
import { parseRequest } from '../../src/protocol/parse.ts'
import { admitChunk } from './admit.ts'
import { change } from './change.ts'
import { reconsiderCircuits } from './circuits.ts'
import { nowOf, type Context } from './context.ts'
import { VISITS_APART_MS } from './limits.ts'
import { workRemains } from '../core/plan.ts'
import { sessionTransition } from '../core/session-machine.ts'
import { TRIAL_KINDS } from '../core/trial.ts'
import type { SessionRecord } from '../core/record.ts'
import { chunkView, sessionView } from '../core/view.ts'
import { POLICY, policyOf } from './policy.ts'
import {
  adoptSession,
  discardSession,
  endSession,
  noteSession,
  pauseSession,
  resumeSession,
  startSession,
} from './sessions.ts'

/** Answers one message of a page; never rejects, and a malformed message changes nothing. */
export async function reply(context: Context, data: unknown): Promise<Reply> {
  try {
    const request = parseRequest(data)
    return { ok: true, value: await handle(context, request.type, request) }
  } catch (error) {
    const { code, message } = HoldfastError.from(error)
    return { ok: false, error: { code, message } }
  }
}

/** Whether a message only asks: a page may do that many times a second. */
export const isQuestion = (data: unknown): boolean =>
  ['sessions', 'chunks', 'bytes', 'log'].includes((data as Request).type)

/** A request by its type. */
type RequestOf<Type extends RequestType> = Extract<Request, { type: Type }>

/** One handler a message: an answer that belongs to another does not compile. */
type Handlers = {
  readonly [Type in RequestType]: (context: Context, request: RequestOf<Type>) => Promise<Answers[Type]>
}

const HANDLERS: Handlers = {
  hello: async (context, { again }) => ({
    protocol: PROTOCOL_VERSION,
    workRemains: await visit(context, again),
  }),
  'session-start': async (context, { session }) => viewOf(context, await startSession(context, session)),
  chunk: async (context, { chunk }) => ({ acknowledged: await admitChunk(context, chunk) }),
  note: async (context, { sessionId, ...note }) =>
    viewOf(context, await noteSession(context, sessionId, note)),
  'session-end': async (context, { sessionId, indexes, how }) =>
    viewOf(context, await endSession(context, sessionId, indexes, how)),
  async sessions(context) {
    const sessions = await context.store.read((tx) => tx.sessions())
    return sessions.map((session) => viewOf(context, session))
  },
  async chunks({ store, progress }, { sessionId }) {
    const [session, chunks] = await store.read((tx) =>
      Promise.all([tx.session(sessionId), tx.chunksOf(sessionId)]),
    )
    return session ? chunks.map((chunk) => chunkView(chunk, session, progress)) : []
  },
  async bytes({ store }, { sessionId, index }) {
    return new Blob([await store.payload(chunkIdOf(sessionId, index))])
  },
  async log({ store }, { sessionId }) {
    const lines = await store.read((tx) => tx.log(Infinity))
    return lines.filter((line) => line.sessionId === sessionId).reverse()
  },
  pause: async (context, { sessionId }) => viewOf(context, await pauseSession(context, sessionId)),
  resume: async (context, { sessionId }) => viewOf(context, await resumeSession(context, sessionId)),
  adopt: async (context, { sessionId }) => viewOf(context, await adoptSession(context, sessionId)),
  async policy({ store, metered }, { policy }) {
    if (policy) await store.write((tx) => tx.putMeta(POLICY, policy))
    return { policy: (await store.read(policyOf)) ?? 'always', metered: metered() }
  },
  async discard(context, { sessionId, confirm }) {
    await discardSession(context, sessionId, confirm)
    context.announce(sessionId)
    return { discarded: sessionId }
  },
}

/** The types cannot tie a request of any type to its own handler; the parameter does. */
const handle = <Type extends RequestType>(context: Context, type: Type, request: RequestOf<Type>) =>
  HANDLERS[type](context, request)

const viewOf = ({ progress }: Context, session: SessionRecord) => sessionView(session, progress)

/**
 * A page arrived, or its network did: the servers are asked again at once, but not for each of a storm of pages. Tells
 * whether the page is still needed. Writes only where there is something to change: pages greet often.
 *
 * @param again the page keeps the worker awake: nobody has arrived
 */
async function visit(context: Context, again?: boolean): Promise<boolean> {
  const { clock, store, visitedAtMs = -Infinity } = context
  const isVisit = !again && clock.ticks() - visitedAtMs >= VISITS_APART_MS
  if (isVisit) {
    context.visitedAtMs = clock.ticks()
    await reconsiderCircuits(context)
  }
  const [sessions, policy] = await store.read((tx) => Promise.all([tx.openSessions(), policyOf(tx)]))
  const event = { type: 'hoped', of: TRIAL_KINDS } as const
  const hopeful = sessions.filter((session) => isVisit && sessionTransition(session, [], event, nowOf(clock)))
  // All at once, so that they are written together.
  await Promise.all(hopeful.map(({ id }) => change(context, id, event)))
  return policy !== 'paused' && sessions.some(workRemains)
}
