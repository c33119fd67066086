import { cat, text } from './bytes.ts'
import { Witness, type EvidenceWorld } from './evidence-world.ts'
import { otherSignature } from './p256.ts'
import { randomFrom, type Random } from './random.ts'
import {
  endEntry,
  groupOf,
  Recording,
  signHead,
  type ChunkFields,
  type HeadFields,
  type PageFields,
  type Published,
} from './recording.ts'

/** A random session, good or bad, and what was done to it: all from the seed. */
export interface RandomSession extends EvidenceWorld {
  readonly deeds: readonly string[]
}

type Writable<Fields> = { -readonly [Field in keyof Fields]?: Fields[Field] }
type Deeds = (chance: number, deed: string) => boolean

export async function randomSession(seed: string): Promise<RandomSession> {
  const random = randomFrom(`random-session/${seed}`)
  // Apart, so that sessions without a list of everything are what they were.
  const lists = randomFrom(`lists/${seed}`)
  const fulls = randomFrom(`full pages/${seed}`)
  const losses = randomFrom(`losses/${seed}`)
  const others = randomFrom(`other pages/${seed}`)
  const deeds: string[] = []
  // Half of the sessions are good; in the others each deed has its chance.
  const isBad = random.number(2) === 0
  const does: Deeds = (chance, deed) => {
    const done = isBad && random.number(1_000) < chance
    if (done) deeds.push(deed)
    return done
  }

  const groups = Array.from({ length: 1 + random.number(3) }, () => groupOf(random.bytes(32)))
  const metadata = random.number(2) === 0 ? { title: `of ${seed}` } : undefined
  const mine = new Recording(seed, { groups, ...(metadata && { metadata }) })
  const witness = new Witness()
  const made: Published[] = []
  const anchor = (recording: Recording, published: Published) => {
    made.push(published)
    if (random.number(4) === 0) return
    const stranger = does(30, 'a head with a broken signature')
    const { signature } = published.head
    const replaced = random.number(3) === 0 ? otherSignature(signature) : signature
    const broken = Buffer.from(signature)
    broken[random.number(64)]! ^= 1 + random.number(255)
    witness.anchor({ ...published.head, signature: stranger ? broken : replaced }, random.number(4))
    void recording
  }
  if (does(30, 'a first page without its session entry')) mine.entries.shift()
  const next = { index: 0 }
  const pages = 1 + random.number(7)
  const forkAt = does(250, 'a thief with the key forks the log') ? random.number(pages) : -1
  for (let number = 0; number < pages; number++) {
    if (number === forkAt && mine.pages.length > 0) {
      const thief = mine.copy(`${seed}/thief`)
      const theirs = { ...next }
      for (let left = 1 + random.number(3); left > 0; left--) {
        await write(thief, random, does, theirs)
        anchor(thief, thief.publish())
      }
      for (const [cid, bytes] of thief.objects) mine.objects.set(cid, bytes)
    }
    await write(mine, random, does, next)
    if (number === pages - 1) finish(mine, random, next.index)
    const page = badPage(mine, random, does)
    const head: Writable<HeadFields> = badHead(random, does)
    if (isBad && mine.pages.length > 0 && others.number(12) === 0) {
      deeds.push('a head that names a page before its own')
      head.page = others.pick(mine.pages).digest
    }
    if (number === pages - 1 && pages > 1 && lists.number(3) === 0) {
      if (isBad && lists.number(4) === 0) {
        deeds.push('a list of everything that is another')
        mine.entries[lists.number(mine.entries.length)] = mine.entries.at(-1)!
      }
      anchor(mine, mine.relist(lists.number(2) === 0 ? undefined : 1 + lists.number(5), head))
    } else if (fulls.number(3) === 0) {
      const kept = fulls.number(mine.found().length + 1)
      anchor(mine, mine.publishFull(kept, page, head))
    } else anchor(mine, mine.publish(page, head))
  }
  if (does(60, 'entries after the end')) {
    mine.note({ late: true })
    const late = mine.publish()
    made.push(late)
    const last = witness.witnessed.pop()
    if (last) witness.anchor(signHead(mine.keys.signing, { ...late.head, end: false }))
  }
  if (witness.witnessed.length === 0) witness.anchor(made.at(-1)!.head)

  const objects = new Map(mine.objects)
  const cids = [...objects.keys()]
  for (let left = random.number(3); left > 0; left--) {
    const cid = random.pick(cids)
    const bytes = objects.get(cid)
    if (does(300, 'the store loses an object')) objects.delete(cid)
    else if (bytes && does(300, 'the store alters an object')) objects.set(cid, altered(bytes, random))
  }
  if (isBad && losses.number(3) === 0) {
    deeds.push('the store loses several objects')
    for (let left = 2 + losses.number(4); left > 0; left--) objects.delete(losses.pick(cids))
  }
  const group = does(40, 'another group’s key') ? groupOf(random.bytes(32)) : random.pick(mine.groups)
  return { name: mine.keys.name, group, witnessed: witness.witnessed, objects, deeds }
}

/** Some entries. */
async function write(into: Recording, random: Random, does: Deeds, next: { index: number }): Promise<void> {
  for (let left = 1 + random.number(4); left > 0; left--) {
    const kind = random.number(10)
    if (kind === 0) into.note({ at: left })
    else if (kind === 1 && random.number(3) === 0) into.end('interrupted')
    else {
      if (random.number(12) === 0) next.index += random.number(3)
      const again = does(30, 'a chunk listed twice') && next.index > 0
      const index = again ? random.number(next.index) : next.index++
      const plaintext = text(`${index} of ${left} ${random.number(1_000)}`.repeat(random.number(6)))
      await into.chunk(index, plaintext, badChunk(random, does))
    }
    if (does(15, 'an entry that is none'))
      into.entries.push(random.pick([Buffer.alloc(0), Buffer.of(9), random.bytes(20), endEntry(4, 0, 0)]))
    if (does(10, 'a second session entry')) into.entries.push(into.entries[0]!)
    if (does(10, 'a byte too much')) into.entries.push(cat(into.entries.pop()!, Buffer.of(0)))
  }
}

function finish(into: Recording, random: Random, indexes: number): void {
  const how = random.number(4)
  if (how === 0) return
  const known = random.number(2) === 0 ? indexes + random.number(3) : undefined
  into.end((['complete', 'interrupted', 'discarded'] as const)[how - 1]!, known)
}

function badChunk(random: Random, does: Deeds): Partial<ChunkFields> {
  const bad: Writable<ChunkFields> = {}
  if (does(20, 'a wrong plaintextHash')) bad.plaintextHash = random.bytes(32)
  if (does(20, 'a wrong encryptedHash')) bad.encryptedHash = random.bytes(32)
  if (does(20, 'a wrong size')) bad.sizeBytes = 16 + random.number(100)
  if (does(20, 'a wrong iv')) bad.iv = random.bytes(12)
  if (does(20, 'a wrong chunk key')) bad.sealedKey = random.bytes(80)
  if (does(10, 'a zero chunk key')) bad.sealedKey = Buffer.alloc(80)
  if (does(10, 'a size beyond all')) bad.sizeBytes = 67_108_881
  if (does(10, 'an address that is none')) bad.cid = 'Qm'
  return bad
}

function badPage(of: Recording, random: Random, does: Deeds): Partial<PageFields> {
  const bad: Writable<PageFields> = {}
  if (does(20, 'a page with another frontier')) bad.frontier = [random.bytes(32), random.bytes(32)]
  if (does(20, 'a page with another number')) bad.number = 1 + random.number(9)
  if (does(20, 'a page from elsewhere')) bad.from = random.number(12)
  if (does(20, 'a page with broken links')) bad.links = of.pages.slice(-1).map(() => random.bytes(32))
  if (does(10, 'a page of another session')) bad.name = random.bytes(32)
  if (does(10, 'a page of another format')) bad.magic = 'holdfast/page/v3'
  return bad
}

function badHead(random: Random, does: Deeds): Partial<HeadFields> {
  const bad: Writable<HeadFields> = {}
  if (does(20, 'a head with another root')) bad.root = random.bytes(32)
  if (does(20, 'a head with another size')) bad.size = 1 + random.number(40)
  if (does(20, 'a head with another end')) bad.end = random.number(2) === 0
  if (does(20, 'a head with other groups')) bad.groups = random.bytes(32)
  if (does(20, 'a head of a page that nobody has')) bad.page = random.bytes(32)
  if (does(20, 'a head of another previous page')) bad.previous = random.bytes(32)
  return bad
}

function altered(bytes: Buffer, random: Random): Buffer {
  const other = Buffer.from(bytes)
  if (other.length === 0 || random.number(4) === 0) return cat(other, random.bytes(1))
  other[random.number(other.length)]! ^= 1 + random.number(255)
  return random.number(4) === 0 ? other.subarray(0, random.number(other.length)) : other
}
