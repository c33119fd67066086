import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { rawAddress } from '../../e2e/second-implementation/address.ts'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { Witness } from '../../e2e/second-implementation/evidence-world.ts'
import { REGISTRY, startFakeNode, type FakeLog } from '../../e2e/second-implementation/fake-node.ts'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import {
  groupOf,
  Recording,
  signHead,
  signedHeadBytes,
  type HeadFields,
} from '../../e2e/second-implementation/recording.ts'
import {
  openInSteps,
  openSession,
  type FromChain,
  type ObjectSource,
  type OpeningStep,
  type OpenSessionOptions,
  type ReadingOptions,
  type VerifiedSession,
} from './index.ts'

// Promise 9 of docs/guarantees.md.

const group = groupOf(randomFrom('early-steps').bytes(32))
const CHUNKS = 100
/** A page and a head for each chunk, in blocks of their own. */
const long = new Recording('early-steps', { groups: [group] })
const witness = new Witness()
for (let index = 0; index < CHUNKS; index++) {
  await long.chunk(index, text(`chunk ${index}`))
  witness.anchor(long.publish().head)
}
const name = hex(long.keys.name)
const firstBlock = `0x${witness.witnessed[0]!.block.toString(16)}`
const cidOfPage = (number: number) => rawAddress(long.pages[number - 1]!.digest)
const world = { name: long.keys.name, group, witnessed: witness.witnessed, objects: long.objects }

const nodes = [await startFakeNode(world), await startFakeNode(world)] as const
const [node, other] = nodes
afterAll(() => nodes.forEach((one) => one.close()))
beforeEach(() => {
  for (const one of nodes) {
    one.world = world
    one.onRpc = undefined
    one.onObject = undefined
    one.asked.length = 0
  }
})

const options = (changes: Partial<ReadingOptions & FromChain> = {}): OpenSessionOptions => ({
  chain: { rpcUrl: node.rpcUrl, registry: REGISTRY },
  gateway: node.gateway,
  name,
  groupKey: group.privateKey,
  timeoutMs: 240_000,
  ...changes,
})

async function stepsOf(steps: AsyncGenerator<OpeningStep, void, undefined>): Promise<OpeningStep[]> {
  const all = []
  for await (const step of steps) all.push(step)
  return all
}

const sizesOf = (steps: readonly OpeningStep[]) => steps.map(({ session }) => session.size)

/** All that a session says, but what it does. */
const saidBy = (session: VerifiedSession) => JSON.parse(JSON.stringify(session)) as unknown

/** Until this, everything that is not told waits. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('a session that opens in steps', () => {
  it('gives its beginning for five questions, while all else is still waited for', async () => {
    const { opened, open } = gate()
    const first = new Set([cidOfPage(1), long.chunks[0]!.cid])
    node.onObject = async (cid, bytes) => {
      if (!first.has(cid)) await opened
      return bytes
    }
    node.onRpc = async ({ method, params }, result) => {
      const isAll = method === 'eth_getLogs' && (params[0] as { toBlock: string }).toBlock !== firstBlock
      if (isAll || method === 'eth_blockNumber') await opened
      return result
    }
    const steps = openInSteps(options())
    const { value: step } = await steps.next()
    expect(step).toMatchObject({ isLast: false, sizeOfAll: CHUNKS + 1 })
    expect(step!.session).toMatchObject({ size: 2, ending: 'open', lostPages: [], lostEntries: [] })
    const { value: chunk } = await step!.session.chunks().next()
    expect(chunk).toMatchObject({
      verdict: 'proved',
      index: 0,
      existedBeforeMs: world.witnessed[0]!.timeMs,
    })
    expect(node.asked.filter((what) => what !== 'eth_blockNumber')).toEqual([
      'eth_call',
      'eth_getLogs',
      'eth_getBlockByNumber',
      ...first,
    ])
    open()
    const rest = await stepsOf(steps)
    expect(rest.at(-1)).toMatchObject({ isLast: true })
    expect(rest.at(-1)?.session.size).toBe(CHUNKS + 1)
  })

  it('grows by the heads of the chain, and is at last what is opened at once', async () => {
    const steps: OpeningStep[] = []
    for await (const step of openInSteps(options())) steps.push(step)
    expect(sizesOf(steps)).toEqual([2, 16, CHUNKS + 1])
    expect(steps.map(({ isLast }) => isLast)).toEqual([false, false, true])
    const whole = await openSession(options())
    expect(saidBy(steps.at(-1)!.session)).toEqual(saidBy(whole))
    for (const { session } of steps) {
      expect(session.listed).toEqual(whole.listed.slice(0, session.listed.length))
      expect(session.heads).toEqual(whole.heads.slice(0, session.heads.length))
      expect(session.heads.every(({ verdict }) => verdict === 'good')).toBe(true)
    }
  })

  it('reads no chunk but those that are wanted', async () => {
    const session = await openSession(options())
    node.asked.length = 0
    const read = []
    for await (const { index } of session.chunks(({ index }) => index === 7 || index === 9)) read.push(index)
    expect(read).toEqual([7, 9])
    expect(node.asked).toEqual([7, 9].map((index) => long.chunks[index]!.cid))
  })

  it('that is left asks for no more of its log, and what was given is read on', async () => {
    let given: VerifiedSession | undefined
    for await (const { session } of openInSteps(options())) {
      given = session
      break
    }
    const asked = node.asked.length
    const { value: chunk } = await given!.chunks().next()
    expect(chunk).toMatchObject({ verdict: 'proved' })
    // What was under way when it was left comes to its end.
    expect(node.asked.length - asked).toBeLessThan(20)
    expect(node.asked).not.toContain(cidOfPage(CHUNKS))
  })

  const turn = () => new Promise((resolve) => setImmediate(() => resolve('is waited for')))
  const left = Uint8Array.from(signedHeadBytes(long.pages.at(-1)!.head))
  const ways: [string, () => OpenSessionOptions][] = [
    ['by a chain', () => options()],
    ['by a head', () => ({ head: left, groupKey: group.privateKey, timeoutMs: 240_000 })],
    [
      'by the address of a head',
      () => ({ head: cidOfPage(1), groupKey: group.privateKey, timeoutMs: 240_000 }),
    ],
  ]
  describe.each(ways)('%s', (_way, opened) => {
    it.each(['return', 'throw'] as const)(
      'that is left (%s) before its beginning is there asks no more, and is waited for no longer',
      async (how) => {
        const { opened: asked, open } = gate()
        const signals: AbortSignal[] = []
        const silent: ObjectSource = {
          name: 'a silent one',
          get: (_cid, { signal }) => {
            signals.push(signal)
            open()
            return new Promise(() => {})
          },
        }
        const steps = openInSteps({ ...opened(), gateway: [], sources: [silent] })
        const next = steps.next()
        await asked
        const reason = new Error('left')
        const leaving =
          how === 'return' ? steps.return() : steps.throw(reason).catch((error) => error as unknown)
        // Nothing in it waits for a timer, or for the network.
        expect(await Promise.race([leaving, turn()])).toEqual(
          how === 'return' ? { done: true, value: undefined } : reason,
        )
        expect(await next).toEqual({ done: true, value: undefined })
        expect(signals.every(({ aborted }) => aborted)).toBe(true)
      },
    )
  })

  it('throws the reason of a caller who aborts, and what openSession does', async () => {
    const reason = new Error('enough')
    const caller = new AbortController()
    const steps = openInSteps(options({ signal: caller.signal }))
    await steps.next()
    caller.abort(reason)
    await expect(stepsOf(steps)).rejects.toBe(reason)
    const stranger = groupOf(randomFrom('stranger').bytes(32))
    await expect(stepsOf(openInSteps(options({ groupKey: stranger.privateKey })))).rejects.toMatchObject({
      code: 'group',
    })
    await expect(stepsOf(openInSteps(options({ name: 'x' })))).rejects.toMatchObject({ code: 'bad-input' })
  })
})

describe('what is found after a beginning was given', () => {
  it('a fork is told in the last step, and what was given stands', async () => {
    const honest = new Recording('forked later', { groups: [group] })
    const anchored = new Witness()
    for (const index of [0, 1]) {
      await honest.chunk(index, text(`chunk ${index}`))
      anchored.anchor(honest.publish().head)
    }
    const thief = honest.copy('thief')
    await thief.chunk(2, text('made up'))
    await thief.chunk(3, text('made up too'))
    await honest.chunk(2, text('seen'))
    anchored.anchor(honest.publish().head)
    anchored.anchor(thief.publish().head)
    const objects = new Map([...honest.objects, ...thief.objects])
    node.world = { name: honest.keys.name, group, witnessed: anchored.witnessed, objects }
    const [first, last] = await stepsOf(openInSteps(options({ name: hex(honest.keys.name) })))
    expect(first).toMatchObject({ isLast: false, session: { forked: [] } })
    expect(last!.session.heads.map(({ verdict }) => verdict)).toEqual(['good', 'good', 'good', 'forked'])
    expect(last!.session.forked).toHaveLength(2)
    expect(last!.session.listed.slice(0, 1)).toEqual(first!.session.listed)
  })

  it('a node that keeps a head back is told once all are asked for', async () => {
    node.onRpc = ({ method }, result) =>
      method === 'eth_getLogs' && (result as FakeLog[]).length > 1
        ? (result as FakeLog[]).toSpliced(1, 1)
        : method === 'eth_getLogs' && (result as FakeLog[])[0]?.logIndex === '0x1'
          ? []
          : result
    const steps = openInSteps(options())
    expect((await steps.next()).value).toMatchObject({ isLast: false, session: { size: 2 } })
    await expect(stepsOf(steps)).rejects.toMatchObject({ code: 'heads-withheld' })
  })

  it('a page that is lost is told in the last step', async () => {
    const lost = cidOfPage(CHUNKS - 1)
    node.onObject = (cid, bytes) => (cid === lost ? undefined : bytes)
    const steps = await stepsOf(openInSteps(options()))
    expect(steps.length).toBeGreaterThan(1)
    expect(steps.at(-1)!.session.lostEntries).toEqual([{ from: CHUNKS - 1, to: CHUNKS }])
    expect(saidBy(steps.at(-1)!.session)).toEqual(saidBy(await openSession(options())))
  })
})

describe('there is no beginning before the whole', () => {
  const only = async (changes: Partial<ReadingOptions & FromChain> = {}) => {
    const steps = await stepsOf(openInSteps(options(changes)))
    expect(sizesOf(steps)).toEqual([CHUNKS + 1])
    return steps[0]!
  }
  const both = { rpcUrls: nodes.map(({ rpcUrl }) => rpcUrl), registry: REGISTRY }

  it('where its first page is lost', async () => {
    node.onObject = (cid, bytes) => (cid === cidOfPage(1) ? 503 : bytes)
    await expect(stepsOf(openInSteps(options()))).rejects.toMatchObject({ code: 'gateway-unreachable' })
  })

  it.each<[string, (log: FakeLog) => FakeLog]>([
    ['is of another block', (log) => ({ ...log, blockNumber: '0xc' })],
    ['is another one', (log) => ({ ...log, data: witnessedLater(log) })],
  ])('where the first head %s', async (_what, changed) => {
    node.onRpc = ({ method }, result) =>
      method === 'eth_getLogs' && (result as FakeLog[]).length === 1
        ? (result as FakeLog[]).map(changed)
        : result
    await only()
  })

  it('where one of several nodes has it in another block', async () => {
    other.world = {
      ...world,
      witnessed: world.witnessed.map((one) => Object.assign({}, one, { block: one.block + 1 })),
    }
    await only({ chain: both })
  })

  it('where several nodes say the same there is one', async () => {
    const steps = await stepsOf(openInSteps(options({ chain: both })))
    expect(sizesOf(steps)[0]).toBe(2)
  })
})

describe('without a chain', () => {
  const newest = long.pages.at(-1)!.head
  const fromHead = (head: Uint8Array = Uint8Array.from(signedHeadBytes(newest))) => ({
    head,
    gateway: node.gateway,
    groupKey: group.privateKey,
    timeoutMs: 240_000,
  })
  /** Links lead to page 1 in eight rounds from here, of five questions at most. */
  const MOST_ASKED = 5 * 9

  it('a session gives its beginning after a few pages, while another is still waited for', async () => {
    const { opened, open } = gate()
    node.onObject = async (cid, bytes) => {
      if (cid === cidOfPage(CHUNKS - 1)) await opened
      return bytes
    }
    const steps = openInSteps(fromHead())
    const { value: step } = await steps.next()
    expect(step).toMatchObject({ isLast: false, sizeOfAll: CHUNKS + 1 })
    expect(step!.session).toMatchObject({ ending: 'open', heads: [], lostPages: [], lostEntries: [] })
    expect(node.asked.indexOf(cidOfPage(1))).toBeLessThan(MOST_ASKED)
    const { value: chunk } = await step!.session.chunks().next()
    expect(chunk).toMatchObject({ verdict: 'proved', index: 0, existedBeforeMs: undefined })
    open()
    const rest = await stepsOf(steps)
    expect(rest.at(-1)).toMatchObject({ isLast: true })
  })

  /** One page is there once a step was given, so that all cannot be before that. */
  async function stepsBeforeAll(head?: Uint8Array): Promise<OpeningStep[]> {
    const { opened, open } = gate()
    const { onObject } = node
    node.onObject = async (cid, bytes) => {
      if (cid === cidOfPage(CHUNKS - 1)) await opened
      return onObject ? onObject(cid, bytes) : bytes
    }
    const steps = openInSteps(fromHead(head))
    const { value: first } = await steps.next()
    open()
    return [first!, ...(await stepsOf(steps))]
  }

  it('it grows by the pages of its one head, and is at last what is opened at once', async () => {
    const steps = await stepsBeforeAll()
    const whole = await openSession(fromHead())
    expect(steps.map(({ isLast }) => isLast)).toEqual([...steps.slice(1).map(() => false), true])
    expect(steps.length).toBeGreaterThan(1)
    expect(saidBy(steps.at(-1)!.session)).toEqual(saidBy(whole))
    for (const { session } of steps.slice(0, -1)) {
      expect(session.listed).toEqual(whole.listed.slice(0, session.size - 1))
      expect(session.newestHead).toEqual(whole.newestHead)
    }
  })

  it.each([1, 2, 50])('page %i that is lost is told as it is when all is opened at once', async (page) => {
    node.onObject = (cid, bytes) => (cid === cidOfPage(page) ? 404 : bytes)
    const lost = await openSession(fromHead()).then(saidBy, String)
    const steps = stepsOf(openInSteps(fromHead()))
    expect(await steps.then((all) => saidBy(all.at(-1)!.session), String)).toEqual(lost)
  })

  it('what is lost behind a beginning is told in the last step', async () => {
    node.onObject = (cid, bytes) => (cid === cidOfPage(CHUNKS - 1) ? 404 : bytes)
    const steps = await stepsBeforeAll()
    expect(steps[0]).toMatchObject({ isLast: false, session: { lostEntries: [] } })
    expect(steps.at(-1)?.session.lostEntries).toEqual([{ from: CHUNKS - 1, to: CHUNKS }])
  })

  const signed = (changes: Partial<HeadFields>) =>
    Uint8Array.from(signedHeadBytes(signHead(long.keys.signing, { ...newest, ...changes })))

  /**
   * How long the log was in each step. One page is there once all others were asked for, and the reading of a good head
   * that began after that had its first step: by then this one has had the time for it, too.
   */
  async function sizesUntil(failure: string, { pages }: Recording, head: Uint8Array): Promise<number[]> {
    const { opened, open } = gate()
    const held = rawAddress(pages.at(-2)!.digest)
    const others = new Set(pages.map(({ digest }) => rawAddress(digest)).filter((cid) => cid !== held))
    const another = openInSteps(fromHead())
    let isBehind = false
    node.onObject = async (cid, bytes) => {
      others.delete(cid)
      if (others.size === 0 && !isBehind) {
        isBehind = true
        another.next().then(open, open)
      }
      if (cid === held) await opened
      return bytes
    }
    const sizes: number[] = []
    const reading = async () => {
      for await (const { session } of openInSteps(fromHead(head))) sizes.push(session.size)
    }
    await expect(reading()).rejects.toMatchObject({ code: failure })
    await another.return()
    return sizes
  }

  it('a head of other groups gives no beginning: that is looked at by the code that looks at all', async () => {
    expect(await sizesUntil('root', long, signed({ groups: Buffer.alloc(32, 1) }))).toEqual([])
  })

  it('a head that is not that of its pages ends the reading, also after a beginning', async () => {
    const steps = stepsBeforeAll(signed({ root: Buffer.alloc(32, 1) }))
    await expect(steps).rejects.toMatchObject({ code: 'root' })
  })

  it('a page of which the tree is not that of the pages before it ends the steps', async () => {
    const odd = new Recording('odd', { groups: [group] })
    for (let index = 0; index < 2 * CHUNKS; index++) {
      await odd.chunk(index, text(`chunk ${index}`))
      odd.publish(index === 8 ? { frontier: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] } : {})
    }
    node.world = { ...world, objects: new Map([...long.objects, ...odd.objects]) }
    const head = Uint8Array.from(signedHeadBytes(odd.pages.at(-1)!.head))
    const sizes = await sizesUntil('root', odd, head)
    // Pages 1 to 8, which are whole by themselves, and none of those with the ninth.
    expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(9)
  })
})

/** The same event, as of a head that says that it is not the first. */
function witnessedLater({ data }: FakeLog): string {
  const words = data.slice(2).match(/.{64}/g)!
  words[10] = '2'.padStart(64, '0')
  return `0x${words.join('')}`
}
