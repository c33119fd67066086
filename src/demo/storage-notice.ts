import type { Snapshot } from '../protocol/snapshot.ts'
import { storageWarning, type StorageEstimateBytes, type StorageWarning } from '../storage-warning.ts'
import { byId, h, setText } from './dom.ts'
import { formatBytes } from './format.ts'

const LOOK_EVERY_MS = 20_000

/** The warning in words, with what to do. */
export function warningWords({ reason, freeBytes, localBytes }: StorageWarning): string {
  const room =
    reason === 'backlog'
      ? 'Much is not uploaded yet.'
      : `Storage is running low: ${formatBytes(freeBytes)} left.`
  const held = localBytes > 0 ? ` ${formatBytes(localBytes)} of recordings wait to be uploaded.` : ''
  const advice =
    localBytes > 0
      ? 'Connect to a network so that uploads free space, or delete other files.'
      : 'Delete other files or apps before you record.'
  return `${room}${held} ${advice}`
}

/** Keeps the storage line and the warning up to date; call `update` with each snapshot. */
export function showStorage() {
  let localBytes = 0
  let protection = ''
  const look = async () => {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {}
    draw({ usage, quota }, localBytes, protection)
  }
  const lookSafely = () => void look().catch(() => undefined)
  setInterval(lookSafely, LOOK_EVERY_MS)
  lookSafely()
  return {
    update({ sessions }: Snapshot): void {
      const held = sessions.reduce((sum, session) => sum + session.localBytes, 0)
      if (held === localBytes) return
      localBytes = held
      lookSafely()
    },
    /** Asks the browser not to clear this site's data, and says how that went. */
    async protect(): Promise<void> {
      const granted = await navigator.storage?.persist?.().catch(() => false)
      protection = granted
        ? 'Storage is protected: the browser will not clear it to make room.'
        : 'Storage is not protected: the browser may clear it when space runs out. Installing this app usually helps.'
      lookSafely()
    },
  }
}

function draw(estimate: StorageEstimateBytes, localBytes: number, protection: string): void {
  const warning = byId('storage-warning', HTMLElement)
  const warns = storageWarning(estimate, localBytes)
  const words = warns && warningWords(warns)
  warning.hidden = words === undefined
  if (words !== undefined && warning.textContent !== words) warning.replaceChildren(h('p', {}, words))
  const held = localBytes > 0 ? `${formatBytes(localBytes)} on this device until confirmed.` : ''
  setText(byId('storage-line', HTMLElement), [held, protection].filter(Boolean).join(' '))
}
