import { text } from './bytes.ts'
import { rawAddress } from './address.ts'
import { Witness, type EvidenceWorld } from './evidence-world.ts'
import { type FakeNode } from './fake-node.ts'
import { randomFrom } from './random.ts'
import { groupOf, Recording, type Group, type Published } from './recording.ts'

/** A recording of five chunks in four pages, each anchored, as far as a deed lets it come. */
export class Scene {
  readonly readers: readonly Group[] = ['one', 'other'].map((label) => groupOf(randomFrom(label).bytes(32)))
  mine = new Recording('deeds', {
    groups: this.readers,
    metadata: { title: 'a walk' },
  })
  readonly witness = new Witness()
  readonly objects = new Map<string, Buffer>()
  /** Addresses of objects that the store lost. */
  readonly gone = new Set<string>()
  readonly node: FakeNode
  /** Who reads. */
  group: Group = this.readers[0]!
  constructor(node: FakeNode) {
    this.node = node
  }

  /** What an honest recorder does up to this page; the last one ends the recording. */
  async honest(pages = 4): Promise<void> {
    for (let number = this.mine.pages.length + 1; number <= pages; number++) {
      if (number === 1) await this.mine.chunk(0, text('chunk 0'))
      await this.mine.chunk(number, text(`chunk ${number}`))
      if (number === 2) this.mine.note({ heard: 'bells' })
      if (number === 4) this.mine.end('complete', 5)
      this.anchor(this.mine.publish())
    }
  }

  anchor({ head }: Published, changes: Partial<Published['head']> = {}): boolean {
    return this.witness.anchor({ ...head, ...changes })
  }

  /** Somebody else with the session's keys, who knows what is recorded so far. */
  thief(pages = this.mine.pages.length): Recording {
    const thief = this.mine.copy('thief')
    const from = pages === 0 ? 1 : Number(this.mine.pages[pages - 1]!.head.size)
    thief.entries.splice(from)
    thief.pages.splice(pages)
    Object.assign(thief, { published: pages === 0 ? 0 : from })
    return thief
  }

  /** A head that is anchored as if the registry did not look at signatures. */
  forge(changes: Partial<Published['head']>): void {
    const last = this.mine.pages.at(-1)!.head
    this.witness.anchor({ ...last, size: Number(last.size) + 1, ...changes })
  }

  cidOfChunk = (index: number) => this.mine.chunks.find((chunk) => chunk.index === index)!.cid
  cidOfPage = (number: number) => rawAddress(this.mine.pages[number - 1]!.digest)

  world(...others: readonly Recording[]): EvidenceWorld {
    const objects = new Map<string, Buffer>()
    for (const some of [this.mine.objects, ...others.map((other) => other.objects), this.objects])
      for (const [cid, bytes] of some) objects.set(cid, bytes)
    for (const cid of this.gone) objects.delete(cid)
    return { name: this.mine.keys.name, group: this.group, witnessed: this.witness.witnessed, objects }
  }
}
