import { setTimeout } from 'node:timers/promises'
import { BodyCutOff, collect, ConnectionLost, drain, streamOf } from './exchange.ts'
import type { Bytes, Exchange, Reply, Service } from './exchange.ts'
import { flipped } from './flipped.ts'
import type { ActiveFault } from './faults.ts'
import { aborted } from './gate.ts'

/** What becomes of a request. `honest`: by the service itself, not by a fault in its place. */
export type Ending =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly honest: boolean; readonly cutShort?: boolean }
  | { readonly kind: 'cut'; readonly honest: boolean }

/** Let the service answer, or whatever the fault makes of that. */
export async function answerWithFault(
  service: Service,
  exchange: Exchange,
  fault: ActiveFault | undefined,
): Promise<Ending> {
  const honestly = async (honest: Exchange): Promise<Ending> => {
    const reply = await service.handle(honest)
    return { kind: 'reply', reply, honest: true }
  }
  const instead = async (reply: Reply): Promise<Ending> => {
    await drain(exchange.body)
    return { kind: 'reply', reply, honest: false }
  }
  if (fault === undefined) return honestly(exchange)

  const { rule } = fault
  switch (rule.kind) {
    case 'down':
      return { kind: 'cut', honest: false }
    case 'reset':
      await readUpTo(exchange.body, rule.afterBytes ?? 0)
      return { kind: 'cut', honest: false }
    case 'stall':
      await drain(exchange.body)
      await Promise.race([fault.over, aborted(exchange.gone)])
      return { kind: 'cut', honest: false }
    case 'hold': {
      if (rule.hold === 'after') {
        const ending = await honestly(exchange)
        fault.arrived()
        await Promise.race([fault.over, aborted(exchange.gone)])
        return ending
      }
      const body = await collect(exchange.body)
      fault.arrived()
      await Promise.race([fault.over, aborted(exchange.gone)])
      if (exchange.gone.aborted) throw new ConnectionLost('The client left while its request was held')
      return honestly({ ...exchange, body: streamOf(body) })
    }
    case 'slow': {
      const over = new AbortController()
      const end = () => over.abort()
      exchange.gone.addEventListener('abort', end)
      if (rule.cut === true) void fault.over.then(end)
      return honestly({ ...exchange, body: slowly(exchange.body, rule.bytesPerSec, over.signal) })
    }
    case 'damage':
      return honestly({ ...exchange, body: flipped(exchange.body, rule.atByte ?? 1000) })
    case 'status': {
      const headers: Record<string, string> = { 'content-type': 'text/plain' }
      const { retryAfter } = rule
      if (retryAfter !== undefined) {
        headers['retry-after'] = retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter)
      }
      const { path, record } = exchange
      for (const [name, value] of Object.entries(rule.headers ?? {}))
        headers[name] = value.replace('{url}', path + record.entry.query)
      const heard = rule.echo === true ? JSON.stringify([exchange.record.entry.query, exchange.headers]) : ''
      return instead({ status: rule.status, headers, body: `${rule.body ?? ''}${heard}` })
    }
    case 'lie': {
      if (service.lie === undefined) return honestly(exchange)
      const reply = await service.lie(exchange)
      return { kind: 'reply', reply, honest: false }
    }
    case 'empty':
      return instead({ status: 200, body: '' })
    case 'truncate': {
      const reply = await service.handle(exchange)
      return { kind: 'reply', reply, honest: true, cutShort: true }
    }
    case 'forget-answer':
      await service.handle(exchange)
      return { kind: 'cut', honest: true }
    default:
      return rule satisfies never
  }
}

async function readUpTo(body: Bytes, bytes: number): Promise<void> {
  if (bytes === 0) return
  let read = 0
  for await (const piece of body) {
    read += piece.byteLength
    if (read >= bytes) return
  }
}

const SLICES_PER_SEC = 20

async function* slowly(body: Bytes, bytesPerSec: number, over: AbortSignal): Bytes {
  const slice = Math.max(1, Math.ceil(bytesPerSec / SLICES_PER_SEC))
  for await (const piece of body) {
    for (let from = 0; from < piece.byteLength; from += slice) {
      const part = piece.subarray(from, from + slice)
      await pause((part.byteLength / bytesPerSec) * 1000, over)
      yield part
    }
  }
}

/** Leaves no listener behind: a body has hundreds of pauses. */
async function pause(delayMs: number, over: AbortSignal): Promise<void> {
  await setTimeout(delayMs, undefined, { signal: over }).catch((cause: unknown) => {
    throw new BodyCutOff('The connection ended while its body was read slowly', { cause })
  })
}
