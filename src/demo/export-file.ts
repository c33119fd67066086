import { isFile } from './container.ts'
import { download } from './hand-out.ts'

/** A recording as it is handed out. */
export interface Exported {
  readonly file: Blob
  /** Whether it has its length and an index; otherwise it is what there is, joined. */
  readonly isWhole: boolean
}

/** Makes a file that plays everywhere of what there is of a recording; what cannot be made one is joined as it is. */
export async function exportedFile(
  runs: readonly Blob[],
  mimeType: string,
  header?: Blob,
  signal?: AbortSignal,
): Promise<Exported> {
  const joined = new Blob([...runs], { type: mimeType })
  const [first] = runs
  if (header === undefined && !(first && (await isFile(first)))) return { file: joined, isWhole: false }
  try {
    // Not every page exports, so the code of it is not in every page.
    const { playable } = await import('./playable.ts')
    return { file: await playable(runs, mimeType, header, signal), isWhole: true }
  } catch (error) {
    if (signal?.aborted) throw error
    return { file: joined, isWhole: false }
  }
}

/** The ending of a file's name. */
export const extensionOf = (mimeType: string) => (mimeType.includes('mp4') ? 'mp4' : 'webm')

/** Saves what only a recording page holds, as a file that plays whole. */
export async function saveUnsaved(runs: readonly Blob[]): Promise<void> {
  const mimeType = runs[0]?.type ?? ''
  if (runs.length === 0) return
  const { file } = await exportedFile(runs, mimeType)
  download(file, `holdfast-unsaved.${extensionOf(mimeType)}`)
}
