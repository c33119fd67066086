/** What is made step by step, for who may be slower: each step takes the place of the one before that was not taken. */
export interface Latest<Item> {
  put(item: Item): void
  /** Nothing follows; what was not taken yet still is. */
  end(): void
  /** It is thrown in its turn. */
  fail(error: unknown): void
  items(): AsyncGenerator<Item, void, undefined>
}

export function latestOf<Item>(): Latest<Item> {
  let waiting: { readonly item: Item } | undefined
  let over: { readonly error?: unknown } | undefined
  let wake = () => {}
  return {
    put(item) {
      waiting = { item }
      wake()
    },
    end() {
      over = {}
      wake()
    },
    fail(error) {
      over = { error }
      wake()
    },
    async *items() {
      for (;;) {
        if (waiting) {
          const { item } = waiting
          waiting = undefined
          yield item
        } else if (over) {
          if ('error' in over) throw over.error
          return
        } else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    },
  }
}
