/** What the test asks of the page; the page does one after the other. */
export type Order =
  /** Starts a session and hands over chunks of random bytes; done when the last is acknowledged. */
  | {
      readonly do: 'record'
      readonly chunks: number
      readonly chunkBytes: number
      /** From one chunk to the next, ms; 0: as fast as they are acknowledged. */
      readonly everyMs: number
    }
  /** Ends the session that `record` began. */
  | { readonly do: 'end' }
  /** Answers with what the engine says of all sessions. */
  | { readonly do: 'sessions' }
  /** Answers with the titles of the notifications that are shown, and the sessions that the log calls lost to wakes. */
  | { readonly do: 'notices' }
  /** Answers with the forms in which the bytes of each chunk are stored. */
  | { readonly do: 'payload-forms' }
  /** Answers with what the browser can promise. */
  | { readonly do: 'capabilities' }
  /** Closes the tab, as far as a script may. */
  | { readonly do: 'close' }

/** The answer to `notices`. */
export interface Notices {
  readonly titles: readonly string[]
  readonly logged: readonly string[]
}

/** What a worker put up for a person to see. */
export interface Sign {
  readonly what: 'notification' | 'badge'
  /** The notification's title; the badge's number, 0: taken away. */
  readonly says: string | number
  /** `done`, or the browser's error. */
  readonly outcome: string
}

/** An order on its way to the page. */
export interface Numbered {
  readonly id: number
  readonly order: Order
}

/** What came of it. */
export interface Done {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}
