import { announce } from './announce.ts'
import { h } from './dom.ts'
import { texts } from './texts.ts'

const SAID_FOR_MS = 1_600

/** Copies text; the button says for a moment how it went. */
export async function copyText(text: string, from: HTMLElement): Promise<boolean> {
  const copied = await navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  )
  from.dataset['said'] = copied ? texts.keys.copied : texts.keys.copyByHand
  announce(copied ? texts.keys.copied : texts.keys.copyByHandSpoken)
  setTimeout(() => delete from.dataset['said'], SAID_FOR_MS)
  return copied
}

/** Saves a blob as a file. */
export function download(blob: Blob, fileName: string): void {
  const href = URL.createObjectURL(blob)
  h('a', { href, download: fileName }).click()
  // Browsers read the blob after the click returns.
  setTimeout(() => URL.revokeObjectURL(href), 60_000)
}
