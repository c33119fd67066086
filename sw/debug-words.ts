import { HoldfastError } from '../src/protocol/errors.ts'
import type { SessionSnapshot } from '../src/protocol/snapshot.ts'

/** Takes a line. */
export type Say = (line: string) => void

/** How a session stands, and why it does not go on: the same words while that is the same. */
export function storyOf({
  ending,
  upload,
  paused,
  chunks,
  parked,
  missing,
  lastError,
  retryAtMs,
}: SessionSnapshot): string {
  const counts = Object.entries(chunks).filter(([, count]) => count > 0)
  return [
    `${ending}, ${upload}`,
    counts.map(([status, count]) => `${count} ${status}`).join(', ') || 'no chunks',
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(paused ? ['paused by a person'] : []),
    ...(parked > 0 ? [`${parked} parked`] : []),
    ...(lastError
      ? [`waits${untilWords(retryAtMs)} because of ${lastError.code}: ${lastError.message}`]
      : []),
  ].join('; ')
}

const untilWords = (ms: number | undefined) =>
  ms === undefined ? '' : ` until ${new Date(ms).toISOString()}`

/** The same port, which says what is asked of it and what comes of it; what is none is left to who checks that. */
export function traced<Port extends { readonly name: string }>(port: Port, say: Say): Port {
  if (Object(port) !== port) return port
  // Of a copy: for one that is frozen a proxy may give only what that has.
  return new Proxy(
    { ...port },
    {
      get(_copy, key) {
        const value: unknown = Reflect.get(port, key)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          const what = `${port.name} ${String(key)}${subjectOf(args[0])}`
          const begunMs = Date.now()
          const saysEnd = (end: string) => say(`${what}: ${end} after ${Date.now() - begunMs} ms`)
          const result: unknown = Reflect.apply(value, port, args)
          // What answers at once is no event.
          if (!(result instanceof Promise)) return result
          return result.then(
            (answer: unknown) => {
              saysEnd(answerOf(answer))
              return answer
            },
            (error: unknown) => {
              const { code, message } = HoldfastError.from(error)
              saysEnd(`${code}: ${message}`)
              throw error
            },
          )
        }
      },
    },
  )
}

/** What it is about, where that is known by a name. */
function subjectOf(asked: unknown): string {
  if (typeof asked === 'string') return ` ${asked.slice(0, 16)}`
  if (typeof asked !== 'object' || asked === null) return ''
  if ('cid' in asked && 'sizeBytes' in asked)
    return ` ${String(asked.cid)} (${String(asked.sizeBytes)} bytes)`
  if ('head' in asked && typeof asked.head === 'object' && asked.head !== null && 'size' in asked.head)
    return ` a head of ${String(asked.head.size)} entries`
  return ''
}

/** In a word or two: of what is known, such as `all, proved`. */
function answerOf(answer: unknown): string {
  if (typeof answer === 'string' || typeof answer === 'boolean') return String(answer)
  if (typeof answer !== 'object' || answer === null) return 'done'
  if ('kind' in answer) {
    const detail = 'offsetBytes' in answer ? `, ${String(answer.offsetBytes)} bytes` : ''
    const proved = 'proved' in answer ? (answer.proved === true ? ', proved' : ', not proved') : ''
    return `${String(answer.kind)}${detail}${proved}`
  }
  if ('blockNumber' in answer) {
    const sizeAt = (key: string) => {
      const head: unknown = Reflect.get(answer, key)
      return typeof head === 'object' && head !== null && 'size' in head ? String(head.size) : 'none'
    }
    return `block ${String(answer.blockNumber)} has ${sizeAt('latest')} entries, ${sizeAt('deep')} deep enough`
  }
  return 'done'
}
