/**
 * What a generator gives, which `return` and `throw` end at once. By itself it would first wait for the item that is under
 * way, for as long as that takes: so would who cancels a stream of it.
 *
 * @param make ends with its signal, and gives nothing more then
 */
export function endable<Item>(
  make: (ending: AbortSignal) => AsyncGenerator<Item, void, undefined>,
): AsyncGenerator<Item, void, undefined> {
  const ending = new AbortController()
  const items = make(ending.signal)
  const finish = items.return.bind(items)
  items.return = (value) => {
    ending.abort()
    return finish(value)
  }
  items.throw = async (error) => {
    await items.return()
    throw error
  }
  return items
}
