import { h } from './dom.ts'

/** Asks before the tab closes, but only while some bytes are in this page alone. */
export function guardUnsaved(unsaved: () => boolean): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    if (unsaved()) event.preventDefault()
  }
  addEventListener('beforeunload', ask)
  return () => removeEventListener('beforeunload', ask)
}

/** Browsers read the blob after the click returns. */
const READ_WITHIN_MS = 60_000

/** Saves what only this page holds as a file, which plays up to its first gap at least. */
export function saveAsFile(runs: readonly Blob[]): void {
  const file = new Blob([...runs], { type: runs[0]?.type ?? '' })
  const href = URL.createObjectURL(file)
  h('a', { href, download: `holdfast-unsaved.${file.type.includes('mp4') ? 'mp4' : 'webm'}` }).click()
  setTimeout(() => URL.revokeObjectURL(href), READ_WITHIN_MS)
}
