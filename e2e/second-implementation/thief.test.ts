import { expect, it, onTestFinished } from 'vitest'
import { takesWhole } from '../test-size.ts'
import { hex, text } from './bytes.ts'
import { evidenceOf, Witness, type EvidenceWorld } from './evidence-world.ts'
import { startFakeNode } from './fake-node.ts'
import { saidByProduct } from './product-reader.ts'
import { randomFrom, type Random } from './random.ts'
import { Recording, type Published } from './recording.ts'
import { readSecond, type Said } from './second-reader.ts'

// Promise 3 of docs/guarantees.md: what somebody who has a session's key makes of it.

const WRITES = takesWhole() ? 1_000 : 12

type Opened = Exclude<Said, { readonly refused: string }>

/** Recorded and anchored by an honest hand. */
async function honest(random: Random, seed: string) {
  const mine = new Recording(`thief/${seed}`, { metadata: { of: seed } })
  const witness = new Witness()
  for (let left = 1 + random.number(4); left > 0; left--) {
    for (let more = 1 + random.number(2); more > 0; more--) await chunk(mine)
    if (random.number(3) === 0) mine.note({ left })
    const isFull = mine.pages.length > 1 && random.number(3) === 0
    witness.anchor((isFull ? mine.publishFull(random.number(mine.found().length)) : mine.publish()).head)
  }
  return { mine, witness }
}

const chunk = (into: Recording) =>
  into.chunk(into.chunks.length, text(`${into.chunks.length} of what there was to see`))

/** One head of a thief, who knows all that there is; most of the log that it signs may be another one. */
async function steal(thief: Recording, random: Random): Promise<Published> {
  const all = thief.found()
  const before = thief.entries.length
  if (random.number(2) === 0) {
    // From a page back: what was there is gone, and more is in its place.
    const kept = random.number(all.length)
    thief.entries.splice(Math.max(1, all[kept]!.from))
    thief.pages.splice(0, Infinity, ...all.slice(0, kept))
    Object.assign(thief, { published: all[kept]!.from })
  }
  while (thief.entries.length <= before) {
    if (random.number(3) === 0) thief.note({ never: 'said' })
    else await thief.chunk(random.number(12), text('what there never was to see'))
  }
  if (random.number(8) === 0) thief.end(random.number(2) === 0 ? 'complete' : 'interrupted', 3)
  const digest = () => random.bytes(32)
  const page = random.pick([{}, {}, {}, {}, { frontier: [digest()] }, { number: 9 }, { from: 3 }])
  const head = random.pick([
    {},
    {},
    {},
    {},
    { root: digest() },
    { page: digest() },
    { previous: digest() },
    { groups: digest() },
    { end: true },
    { size: before + 1 + random.number(9) },
    { size: 2 ** 32 - 1 + random.number(2) },
    { size: 2n ** 60n + BigInt(random.number(9)) },
  ])
  return random.number(4) === 0 ? thief.relist(1 + random.number(5), head) : thief.publish(page, head)
}

it(`${WRITES} heads that a thief with the session’s key anchors change nothing of what was anchored before`, async () => {
  let [writes, seed] = [0, 0]
  const came = new Set<string>()
  const node = await startFakeNode({} as EvidenceWorld)
  onTestFinished(() => node.close())
  while (writes < WRITES) {
    const random = randomFrom(`thief/${seed}`)
    const { mine, witness } = await honest(random, String(seed++))
    const world = () => ({
      name: mine.keys.name,
      group: mine.groups[0]!,
      witnessed: witness.witnessed,
      objects: mine.objects,
    })
    const read = async () => {
      node.world = world()
      const said = await saidByProduct(node.world, node)
      expect(
        await readSecond(evidenceOf(node.world), hex(mine.keys.name), mine.groups[0]!.privateKey),
      ).toEqual(said)
      if ('refused' in said) throw new Error(`Refused with ${said.refused}: ${seed - 1}`)
      return said
    }
    const truth = await read()
    const thief = mine.copy(`thief/${seed}`)
    for (let left = 1 + random.number(3); left > 0; left--) {
      const { head } = await steal(thief, random)
      for (const [cid, bytes] of thief.objects) mine.objects.set(cid, bytes)
      if (!witness.anchor(head)) continue
      writes++
      const said = await read()
      came.add(said.heads.at(-1)!)
      expect(whatStood(said, truth), `session ${seed - 1}`).toEqual(truth)
    }
    // The honest hand goes on, and knows nothing of it.
    await chunk(mine)
    if (witness.anchor(mine.publish().head))
      expect(whatStood(await read(), truth), `after ${seed - 1}`).toEqual(truth)
  }
  expect([...came].sort()).toEqual(['forked', 'good'])
})

/** What is said of as much as there was. */
const whatStood = (said: Opened, truth: Opened): Opened => ({
  ...said,
  chunks: said.chunks.filter(({ index }) => truth.chunks.some((chunk) => chunk.index === index)),
  notes: said.notes.slice(0, truth.notes.length),
  heads: said.heads.slice(0, truth.heads.length),
  // What is added after it, as the same hand could, or apart.
  size: truth.size,
  ending: truth.ending,
  lost: truth.lost,
  forked: truth.forked,
  repeated: truth.repeated,
  missing: truth.missing,
})
