import type { Entry } from '../evidence/entry.ts'
import { groupsDigest, type Head } from '../evidence/head.ts'
import { MAX_LOG_ENTRIES } from '../evidence/limits.ts'
import { isComplete, type ReadPage } from './read-page.ts'
import type { View } from './view.ts'

/** No log grows to such a size: whoever signs one means harm. */
export const isBeyond = ({ size }: Pick<Head, 'size'>) => size > MAX_LOG_ENTRIES

/** Why a head is not the one of its own page, where its view has that as the last. */
export function contradictionWithin(view: View, head: Head, own: ReadPage | undefined): string | undefined {
  const last = view.pages.at(-1)
  if (!own) {
    // Its page is lost, with at least one entry.
    return last && last.to >= head.size ? `it should be larger than the pages before its own` : undefined
  }
  if (last !== own) return `its page should be the last of its pages`
  if (own.to !== head.size) return `its size should be ${own.to}, found ${head.size}`
  const ends = isComplete(own.entries.at(-1)?.entry)
  return ends === head.end ? undefined : `its end should be ${ends}, found ${head.end}`
}

/** Why a head has other groups than the first entry of its log. */
export async function contradictionOfGroups(
  first: Entry | undefined,
  head: Head,
): Promise<string | undefined> {
  if (first?.kind !== 'session') return undefined
  const digest = await groupsDigest(first.groups)
  return digest === head.groups ? undefined : `its groups should be ${digest}, found ${head.groups}`
}
