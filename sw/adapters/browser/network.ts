/** What of the Network Information API (WICG) matters here; Chromium has it in workers, `type` on phones only. */
interface NetworkInformation {
  readonly saveData?: boolean
  readonly type?: string
}

/** True while the browser tells that data costs money or is to be saved; false where it tells nothing. */
export function isMetered(): boolean {
  const { connection } = navigator as { readonly connection?: NetworkInformation }
  return connection?.saveData === true || connection?.type === 'cellular'
}
