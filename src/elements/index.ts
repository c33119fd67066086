import type { SessionId } from '../protocol/ids.ts'
import type { HoldfastFailure } from './base.ts'
import { HoldfastRecorder } from './recorder.ts'
import { HoldfastRecovery } from './recovery.ts'
import { HoldfastStatus } from './status.ts'
import { setTexts, type ElementTexts } from './texts.ts'

export type { HoldfastElement, HoldfastFailure } from './base.ts'
export { openCamera, type Source } from './camera.ts'
export { HoldfastRecorder, type RecorderGroups, type RecorderState } from './recorder.ts'
export { HoldfastRecovery } from './recovery.ts'
export { HoldfastStatus } from './status.ts'
export { english, setTexts, type ElementTexts } from './texts.ts'

/**
 * Defines `<holdfast-recorder>`, `<holdfast-status>` and `<holdfast-recovery>`; those that are defined already stay. To
 * have one of them alone, define its class: `customElements.define('holdfast-status', HoldfastStatus)`.
 *
 * @param texts of another language; default English
 */
export function defineElements(texts?: ElementTexts): void {
  if (texts) setTexts(texts)
  define('holdfast-recorder', HoldfastRecorder)
  define('holdfast-status', HoldfastStatus)
  define('holdfast-recovery', HoldfastRecovery)
}

function define(name: string, element: CustomElementConstructor): void {
  // There are none on a server, where modules of a page are loaded too.
  if (!globalThis.customElements?.get(name)) globalThis.customElements?.define(name, element)
}

declare global {
  interface GlobalEventHandlersEventMap {
    'holdfast-recording': CustomEvent<{ readonly id: SessionId }>
    'holdfast-recorded': CustomEvent<{ readonly id: SessionId }>
    'holdfast-failure': CustomEvent<HoldfastFailure>
  }
  interface HTMLElementTagNameMap {
    'holdfast-recorder': HoldfastRecorder
    'holdfast-status': HoldfastStatus
    'holdfast-recovery': HoldfastRecovery
  }
}
