import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { writeAtomically } from './atomic-file.ts'

/** Which content the store promises to keep: one file each, so that a pin is there in full or not at all. */
export interface Pins {
  has(cid: CID): boolean
  /** Pin content whose blocks are all on disk. False if it was pinned already. */
  add(cid: CID): Promise<boolean>
  all(): string[]
}

export async function openPins(folder: string): Promise<Pins> {
  const suffix = '.json'
  const names = await readdir(folder)
  const pinned = new Set(
    names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length)),
  )
  const writing = new Map<string, Promise<void>>()
  const nameOf = (cid: CID) => cid.toV1().toString()
  return {
    has: (cid) => pinned.has(nameOf(cid)),
    async add(cid) {
      const name = nameOf(cid)
      if (pinned.has(name)) return false
      // Of two requests at once, one has changed something; the pin is visible once it is on disk.
      const claimed = !writing.has(name)
      const write =
        writing.get(name) ??
        writeAtomically(
          join(folder, `${name}${suffix}`),
          JSON.stringify({ cid: cid.toString(), at: Date.now() }),
        )
      writing.set(name, write)
      try {
        await write
        pinned.add(name)
      } finally {
        writing.delete(name)
      }
      return claimed
    },
    all: () => [...pinned],
  }
}
