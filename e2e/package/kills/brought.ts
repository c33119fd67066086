import { STORES as CONTENT } from '../../stores.ts'
import type { StoreName } from './app.ts'
import type { Place } from './place.ts'

/** How often an object was brought whole, and when first, ms since the epoch. */
export interface Brought {
  readonly times: number
  readonly atMs: number
}

/** What the store was brought, by its address, by the server's own ledger. */
export function broughtTo(
  store: StoreName,
  { bucket, backend }: Pick<Place, 'bucket' | 'backend'>,
): ReadonlyMap<string, Brought> {
  const { service: its, method: sends } = CONTENT[store]
  const whole =
    store === 'put'
      ? bucket.made
          .filter(({ status }) => status === 200 || status === 412)
          .map(({ key, fromMs }) => ({ key, at: performance.timeOrigin + fromMs }))
      : backend.ledger
          .all()
          .filter(({ service, method }) => service === its && method === sends)
          .filter(({ changed, duplicate }) => changed || duplicate)
  const brought = new Map<string, Brought>()
  for (const { key, at } of whole) {
    if (key === undefined) continue
    const { times, atMs } = brought.get(key) ?? { times: 0, atMs: at }
    brought.set(key, { times: times + 1, atMs })
  }
  return brought
}
