import { byId } from './dom.ts'

/** Says a change of state to screen readers, once. Not for what changes each second. */
export function announce(words: string): void {
  byId('announcer', HTMLElement).textContent = words
}
