import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { FaultKind } from './fault-rule.ts'
import type { ServiceName } from './service-name.ts'

/**
 * - `answered`: the service's own answer was sent in full, also if it was an error
 * - `aborted`: the connection ended before that; `changed` says whether it had an effect
 * - `refused-by-fault`: a fault answered, or cut the connection, in the service's place: no effect
 */
export type Outcome = 'answered' | 'aborted' | 'refused-by-fault'

/** One request, from its start; `status`, `outcome` and `durationMs` are undefined while it is under way. */
export interface LedgerEntry {
  readonly id: number
  /** ms since the epoch. */
  readonly at: number
  readonly service: ServiceName
  readonly method: string
  readonly path: string
  readonly query: string
  /** Content address, idempotency key or RPC methods; undefined until known. */
  readonly key: string | undefined
  readonly bytesReceived: number
  readonly status: number | undefined
  readonly outcome: Outcome | undefined
  /** This request stored something that was not there: a new pin, the last byte of an object, a new transaction. */
  readonly changed: boolean
  /** This request sent something that was there already. */
  readonly duplicate: boolean
  /** Bytes of this request's body that this server had received before, stored or not (tus, presigned PUT). */
  readonly resentBytes: number
  /** The fault that acted on it. */
  readonly fault: FaultKind | undefined
  readonly durationMs: number | undefined
}

type Mutable<Entry> = { -readonly [Name in keyof Entry]: Entry[Name] }

/** Every request that reached a service (not CORS preflights, not the control paths): the tests' oracle. */
export interface Ledger {
  /** Copies, oldest first, with requests under way. Of this start only; the file has earlier ones too. */
  all(): LedgerEntry[]
  /** How many requests newly stored this content address. */
  stored(cid: string): number
  /**
   * Requests that sent what was already there: an upload of content that was pinned before (or became so
   * while it was being sent again), a relay call that made a second transaction for one head.
   */
  duplicates(): LedgerEntry[]
  /**
   * The next entry that matches: of requests under way now, or that begin or change later.
   * Rejects after `timeoutMs` with what was seen meanwhile; by default a last net, for a machine however slow.
   */
  waitFor(predicate: (entry: LedgerEntry) => boolean, timeoutMs?: number): Promise<LedgerEntry>
}

interface Waiter {
  readonly predicate: (entry: LedgerEntry) => boolean
  readonly seen: Set<LedgerEntry>
  settle(entry: LedgerEntry): void
}

/** An entry while its request is under way: the one way to change it. */
export interface LedgerRecord {
  readonly entry: LedgerEntry
  update(change: Partial<Mutable<LedgerEntry>>): void
  /** The request is over; later changes are ignored. */
  close(outcome: Outcome): void
}

/** The ledger's writing side. */
export class RequestLedger implements Ledger {
  readonly #entries: LedgerEntry[] = []
  readonly #open = new Set<LedgerEntry>()
  readonly #waiters = new Set<Waiter>()
  readonly #file: WriteStream

  constructor(path: string, log: (line: string) => void) {
    this.#file = createWriteStream(path, { flags: 'a' })
    this.#file.on('error', (error) => log(`The ledger cannot be written: ${error.message}`))
  }

  begin(request: Pick<LedgerEntry, 'service' | 'method' | 'path' | 'query'>): LedgerRecord {
    const began = performance.now()
    const entry: Mutable<LedgerEntry> = {
      id: this.#entries.length + 1,
      at: Date.now(),
      ...request,
      key: undefined,
      bytesReceived: 0,
      status: undefined,
      outcome: undefined,
      changed: false,
      duplicate: false,
      resentBytes: 0,
      fault: undefined,
      durationMs: undefined,
    }
    this.#entries.push(entry)
    this.#open.add(entry)
    this.#tell(entry)
    return {
      entry,
      update: (change) => {
        if (!this.#open.has(entry)) return
        Object.assign(entry, change)
        this.#tell(entry)
      },
      close: (outcome) => {
        if (!this.#open.delete(entry)) return
        entry.outcome = outcome
        entry.durationMs = Math.round((performance.now() - began) * 10) / 10
        this.#file.write(`${JSON.stringify(entry)}\n`)
        this.#tell(entry)
      },
    }
  }

  all(): LedgerEntry[] {
    return this.#entries.map((entry) => ({ ...entry }))
  }

  stored(cid: string): number {
    return this.#entries.filter(({ key, changed }) => key === cid && changed).length
  }

  duplicates(): LedgerEntry[] {
    return this.all().filter(({ duplicate }) => duplicate)
  }

  waitFor(predicate: (entry: LedgerEntry) => boolean, timeoutMs = 240_000): Promise<LedgerEntry> {
    for (const entry of this.#open) if (predicate(entry)) return Promise.resolve({ ...entry })
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        const seen = [...waiter.seen].slice(-20).map(describe).join('\n  ') || 'no request'
        reject(new Error(`No matching request within ${timeoutMs} ms. Seen meanwhile:\n  ${seen}`))
      }, timeoutMs)
      const waiter: Waiter = {
        predicate,
        seen: new Set(),
        settle: (entry) => {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          resolve({ ...entry })
        },
      }
      this.#waiters.add(waiter)
    })
  }

  async end(): Promise<void> {
    this.#file.end()
    await finished(this.#file).catch(() => undefined)
  }

  #tell(entry: LedgerEntry): void {
    for (const waiter of this.#waiters) {
      waiter.seen.add(entry)
      if (waiter.predicate(entry)) waiter.settle(entry)
    }
  }
}

function describe({ service, method, path, query, key, status, outcome, fault }: LedgerEntry): string {
  const how = `${status ?? 'no status'}, ${outcome ?? 'under way'}${fault ? `, fault ${fault}` : ''}`
  return `${service} ${method} ${path}${query} ${key ?? ''} (${how})`
}
