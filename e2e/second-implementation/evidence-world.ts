import type { AnchoredHead, Evidence } from './second-reader.ts'
import { hex } from './bytes.ts'
import type { Group, Recording, SignedHead } from './recording.ts'

/** A head that a chain took, and when. */
export interface Witnessed {
  readonly head: SignedHead
  readonly block: number
  readonly timeMs: number
}

/** All that a reader finds of a session: what the chain took and what the store has, true or not. */
export interface EvidenceWorld {
  readonly name: Buffer
  /** Who reads. */
  readonly group: Group
  readonly witnessed: readonly Witnessed[]
  readonly objects: ReadonlyMap<string, Buffer>
}

const GENESIS_MS = 1_770_000_000_000

/** A block each 2 s. */
export const timeOfBlock = (block: number): number => GENESIS_MS + 2_000 * block

/** Heads in the order in which the chain takes them: as the registry does, only those that are larger, none after an end. */
export class Witness {
  readonly witnessed: Witnessed[] = []
  private block = 10

  /** @param blocks how many later than the one before; 0: in the same block */
  anchor(head: SignedHead, blocks = 1): boolean {
    const last = this.witnessed.at(-1)?.head
    if (last !== undefined && (last.end || BigInt(head.size) <= BigInt(last.size))) return false
    this.block += blocks
    this.witnessed.push({ head, block: this.block, timeMs: timeOfBlock(this.block) })
    return true
  }
}

/** The world in which this recording was published, each head of it in a block of its own. */
export function worldOf(recording: Recording): EvidenceWorld {
  const witness = new Witness()
  for (const { head } of recording.pages) witness.anchor(head)
  const { objects, keys, groups } = recording
  return { name: keys.name, group: groups[0]!, witnessed: witness.witnessed, objects: new Map(objects) }
}

/** The same as the second reader asks for it. */
export function evidenceOf({ witnessed, objects }: EvidenceWorld): Evidence {
  const heads: AnchoredHead[] = witnessed.map(({ head, timeMs }) => ({
    name: hex(head.name),
    size: BigInt(head.size),
    root: hex(head.root),
    page: hex(head.page),
    previous: hex(head.previous),
    groups: hex(head.groups),
    end: head.end,
    publicKey: hex(head.publicKey),
    signature: hex(head.signature),
    timeMs,
  }))
  return { heads, object: (cid) => objects.get(cid) }
}
