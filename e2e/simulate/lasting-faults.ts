/** What can go wrong for a while. */
export type LastingFault =
  | 'offline'
  /** Every server asks to be left alone until it is over. */
  | 'busy'
  /** Every server asks for a sign-in that the app does not have. */
  | 'signed-out'
  /** The browser tells of a metered network. */
  | 'metered'
  /** A script of the origin has the drain's lock, as soon as it is free, and keeps it, healed or not. */
  | 'lock-kept'
  | 'disk-full'
  /** Half of all transactions fall. */
  | 'disk-fails'
  | 'disk-slow'
  /** Stored bytes cannot be read. */
  | 'unreadable'
  /** What is to be sealed in the worker is waited for in vain. */
  | 'sealer-hangs'
  /** So is any answer of the store: its requests heed no signal; */
  | 'store-hangs'
  /** of nodes and relays; */
  | 'chain-hangs'
  /** of the app that is told what has settled. */
  | 'app-hangs'
  /** The first relay takes heads and mines none. */
  | 'relay-sits'
  /** So does each of them. */
  | 'relays-sit'
  /** The nodes that are asked lag behind, each by some blocks. */
  | 'nodes-lag'

/** What goes wrong now, and until when. */
export interface LastingFaults {
  /** It lasts for so long from now on, or as long as it was to last. */
  begin(fault: LastingFault, forMs: number): void
  /** All of them are over. */
  end(): void
  lasts(fault: LastingFault): boolean
  /** How long it lasts still, ms; 0 where it does not. */
  leftMs(fault: LastingFault): number
  /** How long it has lasted by now, ms; 0 where it does not. */
  lastedMs(fault: LastingFault): number
}

/** @param now true time, ms since the epoch */
export function lastingFaults(now: () => number): LastingFaults {
  const times = new Map<LastingFault, { readonly fromMs: number; readonly untilMs: number }>()
  const leftMs = (fault: LastingFault) => Math.max((times.get(fault)?.untilMs ?? 0) - now(), 0)
  const lastedMs = (fault: LastingFault) => (leftMs(fault) > 0 ? now() - times.get(fault)!.fromMs : 0)
  return {
    begin(fault, forMs) {
      const longestMs = Math.max(leftMs(fault), forMs)
      times.set(fault, { fromMs: now() - lastedMs(fault), untilMs: now() + longestMs })
    },
    end: () => times.clear(),
    lasts: (fault) => leftMs(fault) > 0,
    leftMs,
    lastedMs,
  }
}
