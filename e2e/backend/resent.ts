import type { Exchange } from './exchange.ts'

/** How far the bytes of each object have reached this server, stored or not; of this start. */
export interface Received {
  /** The same exchange, its body counted from `offset`: the ledger learns which of its bytes had come before. */
  count(exchange: Exchange, key: string, offset: number): Exchange
}

export function received(): Received {
  const furthest = new Map<string, number>()
  return {
    count: (exchange, key, offset) => ({
      ...exchange,
      body: (async function* () {
        const before = furthest.get(key) ?? 0
        let at = offset
        try {
          for await (const piece of exchange.body) {
            at += piece.byteLength
            const resentBytes = Math.max(0, Math.min(at, before) - offset)
            if (resentBytes > 0) exchange.record.update({ resentBytes })
            yield piece
          }
        } finally {
          furthest.set(key, Math.max(furthest.get(key) ?? 0, at))
        }
      })(),
    }),
  }
}
