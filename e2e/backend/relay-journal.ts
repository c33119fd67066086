import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hex } from 'viem'
import { writeAtomically } from './atomic-file.ts'
import type { AnchorCall } from './relay-request.ts'

/** A transaction that was signed for an idempotency key. On disk before it is broadcast, and for good. */
export interface SignedAnchor {
  readonly key: string
  readonly call: AnchorCall
  /** The recording status in the manifest, if that could be read. */
  readonly recordingStatus: string | undefined
  readonly nonce: number
  readonly raw: Hex
  readonly hash: Hex
}

/** All that this relay ever signed. */
export interface RelayJournal {
  get(key: string): SignedAnchor | undefined
  /** In the order of their nonces. */
  all(): readonly SignedAnchor[]
  add(anchor: SignedAnchor): Promise<void>
}

export async function openRelayJournal(folder: string): Promise<RelayJournal> {
  const suffix = '.json'
  const anchors: SignedAnchor[] = []
  for (const name of await readdir(folder)) {
    if (!name.endsWith(suffix)) continue
    anchors.push(JSON.parse(await readFile(join(folder, name), 'utf8')) as SignedAnchor)
  }
  anchors.sort((one, other) => one.nonce - other.nonce)
  const byKey = new Map(anchors.map((anchor) => [anchor.key, anchor]))
  return {
    get: (key) => byKey.get(key),
    all: () => anchors,
    async add(anchor) {
      const name = createHash('sha256').update(anchor.key).digest('hex')
      await writeAtomically(join(folder, `${name}${suffix}`), JSON.stringify(anchor))
      anchors.push(anchor)
      byKey.set(anchor.key, anchor)
    },
  }
}
