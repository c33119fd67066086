import { onTheirWay } from '../elements/recovery-summary.ts'
import type { Snapshot } from '../protocol/snapshot.ts'

let shown: number | undefined

/** Tells on the app's icon how many recordings are on their way, where the browser has such badges. */
export function showBadge({ sessions }: Snapshot): void {
  const { length } = onTheirWay(sessions)
  if (length === shown) return
  shown = length
  // Without an icon there is none: that is no failure.
  const told = length > 0 ? navigator.setAppBadge?.(length) : navigator.clearAppBadge?.()
  told?.catch(() => undefined)
}
