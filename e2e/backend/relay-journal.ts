import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hex } from 'viem'
import type { AnchorRequest, SignedHead } from '../../sw/ports/anchor.ts'
import { writeAtomically } from './atomic-file.ts'

/** A transaction that was signed to carry a head. On disk before it is broadcast, and for good. */
export interface SignedAnchor {
  readonly call: AnchorRequest
  readonly nonce: number
  readonly raw: Hex
  readonly hash: Hex
}

/** All that this relay ever signed. */
export interface RelayJournal {
  /** The latest transaction that carries this head, whatever key and signature it came under. */
  get(head: SignedHead): SignedAnchor | undefined
  /** The latest transaction of the head's session. */
  latestOf(head: SignedHead): SignedAnchor | undefined
  /** In the order of their nonces. */
  all(): readonly SignedAnchor[]
  add(anchor: SignedAnchor): Promise<void>
}

/** A head by what it says of the log. A signature is never a name of anything: (r, n − s) holds too. */
const idOf = ({ name, size, root }: SignedHead) => `${name}/${size}/${root}`

export async function openRelayJournal(folder: string): Promise<RelayJournal> {
  const suffix = '.json'
  const anchors: SignedAnchor[] = []
  const byHead = new Map<string, SignedAnchor>()
  const bySession = new Map<string, SignedAnchor>()
  const keep = (anchor: SignedAnchor) => {
    const { head } = anchor.call
    anchors.push(anchor)
    byHead.set(idOf(head), anchor)
    bySession.set(head.name, anchor)
  }
  const found: SignedAnchor[] = []
  for (const name of await readdir(folder)) {
    if (!name.endsWith(suffix)) continue
    const anchor = JSON.parse(await readFile(join(folder, name), 'utf8')) as SignedAnchor
    // Others are of format 1, for a registry that this backend has no more.
    if ('head' in anchor.call) found.push(anchor)
  }
  found.sort((one, other) => one.nonce - other.nonce).forEach(keep)
  return {
    get: (head) => byHead.get(idOf(head)),
    latestOf: ({ name }) => bySession.get(name),
    all: () => anchors,
    async add(anchor) {
      await writeAtomically(join(folder, `${anchor.nonce}${suffix}`), JSON.stringify(anchor))
      keep(anchor)
    },
  }
}
