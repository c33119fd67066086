import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionRecord, StoreChoice } from '../core/record.ts'
import type { Transport } from '../ports/transport.ts'

/**
 * Where a session's objects go: to the stores that it named, or to all that this worker has.
 *
 * @param starts the session begins now: then it names stores of this worker alone, each once
 * @throws HoldfastError `bad-input` where it may not begin so; `copies-missing` where this worker does not have enough
 *   of its stores any more
 */
export function storeChoice(
  { name, stores: known = [name] }: Pick<Transport, 'name' | 'stores'>,
  { stores = known, atLeast = stores.length, resumedAtMs }: Pick<SessionRecord, keyof StoreChoice>,
  starts = false,
): StoreChoice {
  const least = starts ? Math.max(1, atLeast, stores.length) : atLeast
  if (known.filter((store) => stores.includes(store)).length < least)
    throw new HoldfastError(
      starts ? 'bad-input' : 'copies-missing',
      `${atLeast} of ${stores} are wanted; this worker has ${known}.`,
    )
  return { stores, atLeast, resumedAtMs }
}
