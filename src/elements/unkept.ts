import { button } from './dom.ts'
import { dismissButton, showNotice, type Explanation } from './explain.ts'
import { newNotice } from './recorder-view.ts'
import { texts } from './texts.ts'
import { guardUnsaved } from './unsaved.ts'

/** What only this page holds: a list of runs for each file. */
export type Unsaved = readonly (readonly Blob[])[]

/** A recording that could not be kept, and what the page still holds of it. */
export class Unkept extends Error {
  readonly unsaved: () => Unsaved
  constructor(cause: unknown, unsaved: () => Unsaved) {
    super('Not kept', { cause })
    this.unsaved = unsaved
  }
}

export interface UnkeptOptions {
  /** Saves what is left of one recorder. */
  readonly save: (runs: readonly Blob[]) => void | Promise<void>
  readonly onFailure: (error: unknown) => void
  /** Focuses what a person goes on with who has put something away. */
  readonly goOn: () => void
  /** Told of how many recordings something is in this page alone. */
  readonly onCount: (count: number) => void
}

/**
 * The recordings that could not be kept: each has a notice of its own, which the next recording leaves there, since
 * nothing else holds its slices; and until a person has saved it or put it away, the page asks before it goes.
 */
export function unkeptRecordings({ save, onFailure, goOn, onCount }: UnkeptOptions) {
  /** Each saves one; those that are being saved are not in here. */
  const unsaved = new Set<() => Promise<void>>()
  let count = 0

  async function saveAll(runs: Unsaved): Promise<boolean> {
    try {
      for (const one of runs) await save(one)
      return true
    } catch (error) {
      onFailure(error)
      return false
    }
  }

  const buttonThat = (saves: () => Promise<unknown>) =>
    button(texts.recorder.saveFile, () => void saves(), { 'data-testid': 'save-unsaved' })

  return {
    /** A button that saves what only this page holds. */
    saveButton: (held: () => Unsaved) => buttonThat(() => saveAll(held())),
    /** @returns its notice, for where the person looks */
    show(why: Explanation, held: () => Unsaved): HTMLElement {
      const unguard = guardUnsaved(() => true)
      onCount(++count)
      let isHeld = true
      const letGo = () => {
        if (!isHeld) return
        isHeld = false
        unsaved.delete(saveNow)
        unguard()
        onCount(--count)
      }
      const saveNow = async () => {
        unsaved.delete(saveNow)
        if (await saveAll(held())) letGo()
        else if (isHeld) unsaved.add(saveNow)
      }
      unsaved.add(saveNow)
      const notice = newNotice()
      // After Save it stays until it is put away: a download may be refused, too.
      showNotice(notice, why, buttonThat(saveNow))
      notice.append(
        dismissButton(() => {
          letGo()
          notice.remove()
          goOn()
        }),
      )
      return notice
    },
    /** Nobody can press anything any more: all of it is saved now, unasked. */
    async saveUnasked(): Promise<void> {
      const all = [...unsaved]
      for (const saveNow of all) await saveNow()
    },
  }
}
