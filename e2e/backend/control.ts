import type { IncomingMessage } from 'node:http'
import { BackendError } from './backend-error.ts'
import { collect, json, type Reply } from './exchange.ts'
import { parseRule } from './fault-rule.ts'
import type { FaultBoard } from './faults.ts'
import type { Ledger } from './ledger.ts'

export interface ControlOptions {
  readonly ledger: Ledger
  readonly faults: FaultBoard
  /** For the status page. */
  status(): unknown
}

/**
 * The control paths, for people and for tests in other processes:
 * `GET /` status; `GET /_/ledger?since=ID`; `GET /_/faults`; `POST /_/faults` with a rule, `{"remove": ID}`
 * (also releases what is held) or `{"clear": true}`.
 */
export function controlPaths({ ledger, faults, status }: ControlOptions) {
  return async (request: IncomingMessage, url: URL): Promise<Reply> => {
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /':
        return { ...json(200, status()), body: `${JSON.stringify(status(), null, 2)}\n` }
      case 'GET /_/ledger': {
        const since = Number(url.searchParams.get('since') ?? 0)
        return json(200, {
          entries: ledger.all().filter(({ id }) => id > since),
          duplicates: ledger.duplicates().length,
        })
      }
      case 'GET /_/faults':
        return json(200, listed(faults))
      case 'POST /_/faults':
        // A page of another site could send text/plain without asking; JSON it may not.
        if (!request.headers['content-type']?.startsWith('application/json')) {
          return json(415, { error: 'Content-Type must be application/json' })
        }
        return change(faults, (await collect(request)).toString('utf8'))
      default:
        return json(404, { error: 'Nothing here' })
    }
  }
}

function change(faults: FaultBoard, body: string): Reply {
  try {
    const wish: unknown = JSON.parse(body)
    if (typeof wish === 'object' && wish !== null) {
      if ('clear' in wish) {
        faults.clear()
        return json(200, listed(faults))
      }
      if ('remove' in wish) return json(faults.remove(Number(wish.remove)) ? 200 : 404, listed(faults))
    }
    return json(200, { id: faults.add(parseRule(wish)).id })
  } catch (error) {
    if (error instanceof BackendError || error instanceof SyntaxError) {
      return json(400, { error: error.message })
    }
    throw error
  }
}

const listed = (faults: FaultBoard) => ({
  faults: faults.list().map(({ id, hits, rule }) => ({
    id,
    hits,
    rule: { ...rule, match: rule.match?.toString() },
  })),
})
