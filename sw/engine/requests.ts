import { HoldfastError } from '../../src/protocol/errors.ts'
import { PROTOCOL_VERSION, type Answers, type Reply, type Request } from '../../src/protocol/messages.ts'
import { parseRequest } from '../../src/protocol/parse.ts'
import { admitChunk } from './admit.ts'
import { reconsiderCircuit } from './circuits.ts'
import type { Context } from './context.ts'
import { workRemains } from '../core/plan.ts'
import type { SessionRecord } from '../core/record.ts'
import { chunkView, sessionView } from '../core/view.ts'
import { POLICY, policyOf } from './policy.ts'
import { discardSession, endSession, pauseSession, resumeSession, startSession } from './sessions.ts'

/** Answers one message of a page; never rejects, and a malformed message changes nothing. */
export async function reply(context: Context, data: unknown): Promise<Reply> {
  try {
    return { ok: true, value: await answer(context, parseRequest(data)) }
  } catch (error) {
    return { ok: false, error: HoldfastError.from(error).toWire() }
  }
}

async function answer(context: Context, request: Request): Promise<Answers[Request['type']]> {
  const { store, progress } = context
  const view = (session: SessionRecord) => sessionView(session, progress)
  switch (request.type) {
    case 'hello':
      return { protocol: PROTOCOL_VERSION, workRemains: await visit(context) }
    case 'session-start':
      return view(await startSession(context, request.session))
    case 'chunk':
      return { acknowledged: await admitChunk(context, request.chunk) }
    case 'session-end':
      return view(await endSession(context, request.sessionId))
    case 'sessions':
      return (await store.read((tx) => tx.sessions())).map(view)
    case 'chunks':
      return (await store.read((tx) => tx.chunksOf(request.sessionId))).map((chunk) =>
        chunkView(chunk, progress),
      )
    case 'pause':
      return view(await pauseSession(context, request.sessionId))
    case 'resume':
      return view(await resumeSession(context, request.sessionId))
    case 'policy':
      if (request.policy) await store.write((tx) => tx.putMeta(POLICY, request.policy))
      return { policy: (await store.read(policyOf)) ?? 'always', metered: context.metered() }
    case 'discard':
      await discardSession(context, request.sessionId, request.confirm)
      context.announce(request.sessionId)
      return { discarded: request.sessionId }
  }
}

/** A page arrived, or its network did: the servers are asked again at once. Tells whether the page is still needed. */
const visit = ({ store, transport, anchor }: Context) =>
  store.write(async (tx) => {
    for (const { name } of [transport, anchor]) await reconsiderCircuit(tx, name)
    return (await policyOf(tx)) !== 'paused' && (await tx.openSessions()).some(workRemains)
  })
