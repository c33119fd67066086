import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { rawAddress } from '../../e2e/second-implementation/address.ts'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { ALL_HEADS, endlessHeads } from '../../e2e/second-implementation/endless-heads.ts'
import { Witness, worldOf, type EvidenceWorld } from '../../e2e/second-implementation/evidence-world.ts'
import {
  logOf,
  refuseRpc,
  REGISTRY,
  startFakeNode,
  type FakeLog,
} from '../../e2e/second-implementation/fake-node.ts'
import { groupOf, noteEntry, Recording } from '../../e2e/second-implementation/recording.ts'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { takesWhole } from '../../e2e/test-size.ts'
import { MAX_HEADS } from './heads.ts'
import {
  listSessions,
  openSession,
  VerificationError,
  type FromChain,
  type OpenSessionOptions,
  type ReadingOptions,
  type VerificationProgress,
  type VerifiedSession,
} from './index.ts'
import { PAGES_AT_A_TIME } from './waiting-pages.ts'

const random = randomFrom('session.test')
const group = groupOf(random.bytes(32))

/** Three chunks in three pages, index 2 missing, the last of more than one leaf. */
const recording = new Recording('session.test', {
  groups: [group],
  mimeType: 'video/webm',
  metadata: { at: 'sea' },
})
const plaintexts = new Map([
  [0, text('first')],
  [1, Buffer.alloc(0)],
  [3, Buffer.alloc(1_500_000, 'pattern')],
])
for (const [index, plaintext] of plaintexts) {
  await recording.chunk(index, plaintext)
  recording.publish()
}
recording.end('complete', 4)
recording.publish()
const world = worldOf(recording)
const name = hex(world.name)
const cidOf = (index: number) => recording.chunks.find((chunk) => chunk.index === index)!.cid

const node = await startFakeNode(world)
afterAll(() => node.close())
beforeEach(() => {
  node.world = world
  node.newest = 1_000
  node.maxRange = Infinity
  node.onRpc = undefined
  node.wrap = undefined
  node.onObject = undefined
  node.asked.length = 0
})

const options = (changes: Partial<ReadingOptions & FromChain> = {}): OpenSessionOptions => ({
  chain: { rpcUrl: node.rpcUrl, registry: REGISTRY },
  gateway: node.gateway,
  name,
  groupKey: group.privateKey,
  timeoutMs: 240_000,
  ...changes,
})
const open = (changes: Partial<ReadingOptions & FromChain> = {}) => openSession(options(changes))

async function failureOf(work: Promise<unknown>): Promise<VerificationError> {
  const thrown: unknown = await work.then(
    () => 'verified',
    (error: unknown) => error,
  )
  if (!(thrown instanceof VerificationError))
    throw new Error(`Expected a VerificationError: ${String(thrown)}`)
  return thrown
}

it('notes too short to open are listed, and cost no computing: who has the key can list any number', async () => {
  const deriving = vi.spyOn(crypto.subtle, 'deriveBits')
  try {
    const derived = async (notes: number) => {
      const flooded = new Recording('flooded', { groups: [group] })
      for (let at = 0; at < notes; at++) flooded.entries.push(noteEntry(at, Buffer.alloc(47)))
      flooded.publish()
      node.world = worldOf(flooded)
      deriving.mockClear()
      const { notes: read } = await open({ name: hex(flooded.keys.name) })
      expect(read).toEqual(Array.from({ length: notes }, (_, at) => ({ position: at + 1, atMs: at })))
      return deriving.mock.calls.length
    }
    const without = await derived(0)
    expect(without).toBeGreaterThan(0)
    expect(await derived(100)).toBe(without)
  } finally {
    deriving.mockRestore()
  }
})

describe('an untouched session', () => {
  it('gives back every byte, and all that its log says', async () => {
    const session = await open()
    expect(session).toMatchObject({
      name,
      mimeType: 'video/webm',
      startedAtMs: 1_770_000_000_000,
      metadata: { at: 'sea' },
      ending: 'complete',
      size: 5,
      missingIndexes: [2],
      missingCount: 1,
      lostEntries: [],
      lostPages: [],
      forked: [],
      repeated: [],
      notes: [],
    })
    expect(session.heads).toMatchObject(
      world.witnessed.map(({ head, block, timeMs }) => ({
        size: head.size,
        root: hex(head.root),
        blockNumber: block,
        timeMs,
        verdict: 'good',
      })),
    )
    let at = 0
    for await (const { index, ...chunk } of session.chunks()) {
      const { plaintext, capturedAtMs, durationMs, index: expected } = recording.chunks[at]!
      expect(index).toBe(expected)
      const existedBeforeMs = world.witnessed[at++]!.timeMs
      expect(chunk).toMatchObject({ verdict: 'proved', capturedAtMs, durationMs, existedBeforeMs })
      expect('plaintext' in chunk && plaintext.equals(chunk.plaintext)).toBe(true)
    }
    expect(at).toBe(3)
    expect(Buffer.concat([...plaintexts.values()]).equals(await session.bytes())).toBe(true)
  })

  it('tells how far it is', async () => {
    const told: VerificationProgress[] = []
    const session = await open({ onProgress: (progress) => told.push(progress) })
    for await (const _ of session.chunks()) void _
    expect([...new Set(told.map(({ step }) => step))]).toEqual([
      'reading the registry',
      'fetching the pages',
      'checking the log',
      'checking the group',
      'fetching a chunk',
      'opening a chunk',
    ])
    expect(told.at(-1)).toEqual({ step: 'opening a chunk', chunksVerified: 3, chunksTotal: 3 })
  })

  it('leaves the caller’s key as it is', async () => {
    const groupKey = Uint8Array.from(group.privateKey)
    await open({ groupKey })
    expect(Buffer.from(groupKey)).toEqual(group.privateKey)
  })

  it('keeps the key of the node out of what it says', async () => {
    node.onRpc = () => refuseRpc('no')
    const error = await failureOf(open())
    expect(error.message).not.toContain('secret-api-key')
    expect(error.message).toContain(new URL(node.rpcUrl).host)
  })
})

describe('a part', () => {
  const whole = Buffer.concat([...plaintexts.values()])
  const read = async (pieces: AsyncIterable<Uint8Array>) => {
    const parts: Uint8Array[] = []
    for await (const piece of pieces) parts.push(piece)
    return Buffer.concat(parts)
  }
  /** Of 1.5 MB, which a matcher takes half a minute to compare. */
  const same = (found: Buffer, from: number, to?: number) => found.equals(whole.subarray(from, to))

  it('is cut exactly, and nothing that is not in it is asked for', async () => {
    const session = await open()
    expect(session.sizeBytes).toBe(whole.length)
    node.asked.length = 0
    expect(same(await read(session.range(3, 700)), 3, 700)).toBe(true)
    expect(node.asked).toEqual([cidOf(0), cidOf(3)])
    node.asked.length = 0
    expect(same(await read(session.range(5, 9)), 5, 9)).toBe(true)
    expect(node.asked).toEqual([cidOf(3)])
  })

  it('is found by its time', async () => {
    const session = await open()
    const { capturedAtMs } = recording.chunks.find(({ index }) => index === 3)!
    node.asked.length = 0
    const from = capturedAtMs - session.startedAtMs
    expect(same(await read(session.range(from, undefined, { unit: 'ms' })), 5)).toBe(true)
    expect(node.asked).toEqual([cidOf(3)])
  })

  it('ends at its first bad chunk, unless some is enough', async () => {
    node.onObject = (cid, bytes) => (cid === cidOf(0) ? undefined : bytes)
    const session = await open()
    expect(await failureOf(read(session.range(0)))).toMatchObject({ code: 'chunk-missing', index: 0 })
    expect(same(await read(session.range(0, undefined, { partial: true })), 5)).toBe(true)
  })

  it('is a stream, too', async () => {
    const session = await open()
    const response = new Response(session.stream(2, 1_000))
    expect(same(Buffer.from(await response.arrayBuffer()), 2, 1_000)).toBe(true)
  })
})

describe('a bad chunk', () => {
  beforeEach(() => {
    node.onObject = (cid, bytes) => (cid === cidOf(0) ? undefined : bytes)
  })

  it('never ends the reading', async () => {
    const session = await open()
    const verdicts = []
    for await (const chunk of session.chunks()) verdicts.push(chunk.verdict)
    expect(verdicts).toEqual(['chunk-missing', 'proved', 'proved'])
  })

  it('ends the joining of bytes, unless some are enough', async () => {
    const session = await open()
    expect(await failureOf(session.bytes())).toMatchObject({ code: 'chunk-missing', index: 0 })
    expect((await session.bytes({ partial: true })).length).toBe(1_500_000)
  })
})

it('reads the chunks that are shown apart', async () => {
  const honest = new Recording('forked', { groups: [group] })
  await honest.chunk(0, text('seen'))
  const witness = new Witness()
  witness.anchor(honest.publish().head)
  const thief = honest.copy('thief')
  await thief.chunk(1, text('made up'))
  await thief.chunk(2, text('made up too'))
  await honest.chunk(1, text('seen too'))
  witness.anchor(honest.publish().head)
  witness.anchor(thief.publish().head)
  const objects = new Map([...honest.objects, ...thief.objects])
  node.world = { name: honest.keys.name, group, witnessed: witness.witnessed, objects }

  const session = await open({ name: hex(honest.keys.name) })
  expect(session.heads.map(({ verdict }) => verdict)).toEqual(['good', 'good', 'forked'])
  expect(Buffer.from(await session.bytes()).toString()).toBe('seenseen too')
  const apart = []
  for await (const chunk of session.forkedChunks())
    apart.push('plaintext' in chunk ? [chunk.index, Buffer.from(chunk.plaintext).toString()] : chunk.verdict)
  expect(apart).toEqual([
    [1, 'made up'],
    [2, 'made up too'],
  ])
})

describe('a node', () => {
  /** Twelve heads over some hundred blocks, two of them in one. */
  async function longLog(): Promise<EvidenceWorld> {
    const long = new Recording('long', { groups: [group] })
    const witness = new Witness()
    for (let number = 1; number <= 12; number++) {
      if (number > 1) long.note({ number })
      witness.anchor(long.publish().head, number === 5 ? 0 : number * number)
    }
    return { name: long.keys.name, group, witnessed: witness.witnessed, objects: long.objects }
  }

  it.each([1, 2, 3, 10, 100, 1_000])(
    'that takes %i blocks at a time tells of every head',
    async (maxRange) => {
      node.world = await longLog()
      node.maxRange = maxRange
      const session = await open({ name: hex(node.world.name) })
      expect(session.heads).toHaveLength(12)
      expect(session.size).toBe(12)
      const asked = node.asked.filter((method) => method === 'eth_getLogs').length
      // As many as there are heads at most, and those that were refused while the range was halved.
      expect(asked).toBeLessThanOrEqual(12 + 10)
    },
  )

  it('that leaves some events out of long answers is asked for shorter ones', async () => {
    node.world = await longLog()
    node.onRpc = ({ method }, result) =>
      method === 'eth_getLogs'
        ? (result as FakeLog[]).filter((_, at, all) => all.length < 4 || at !== 1)
        : result
    expect((await open({ name: hex(node.world.name) })).heads).toHaveLength(12)
  })

  it('is asked about one block, whatever is mined meanwhile', async () => {
    const blocks: unknown[] = []
    node.onRpc = ({ method, params }, result) => {
      if (method === 'eth_blockNumber') return '0x10'
      if (method === 'eth_call') blocks.push(params[1])
      if (method === 'eth_getLogs') blocks.push((params[0] as { toBlock: string }).toBlock)
      return result
    }
    expect((await open()).heads).toHaveLength(4)
    expect(blocks).toEqual(['0x10', '0xe'])
  })

  it.each([99, '1', null, undefined])(
    'that answers another question, by its id (%j), is not believed',
    async (id) => {
      for (const error of [undefined, null]) {
        node.wrap = (reply) => ({ ...reply, id, error })
        expect(await failureOf(open())).toMatchObject({ code: 'chain-answer', class: 'refused' })
      }
    },
  )

  it.each([
    [{ code: -32_005, message: 'limit exceeded' }, 'chain-unreachable'],
    [{ code: -32_000, message: 'no' }, 'chain-answer'],
    ['busy', 'chain-answer'],
  ])('that gives a result beside an error (%j) is not believed', async (error, code) => {
    node.wrap = (reply) => ({ ...reply, error })
    expect(await failureOf(open())).toMatchObject({ code })
  })

  it('that gives no error beside its result, in so many words, is', async () => {
    node.wrap = (reply) => ({ ...reply, error: null })
    expect((await open()).heads).toHaveLength(4)
  })

  /** Each character of a text has a name: to copy them all took a minute. */
  const LONG = 'a'.repeat(10_000_000)
  it.each<[string, method: string, told: unknown]>([
    ['a log', 'eth_getLogs', [LONG]],
    ['a log', 'eth_getLogs', [null]],
    ['a block', 'eth_getBlockByNumber', LONG],
  ])(
    'that tells a text instead of %s is told as that, and the text is not copied',
    async (what, method, told) => {
      node.onRpc = (request, result) => (request.method === method ? told : result)
      const error = await failureOf(open())
      expect(error).toMatchObject({ code: 'chain-answer' })
      expect(error.message).toContain(`${what} should be an object`)
      expect(error.message.length).toBeLessThan(300)
    },
  )

  it('that makes up heads without end is not heard to the end', async () => {
    const word = (value: number) => value.toString(16).padStart(64, '0')
    const ALL = 2 ** 32
    /** Head so-and-so in the block of that number. */
    const madeUp = (log: FakeLog, number: number): FakeLog => {
      const words = log.data.slice(2).match(/.{64}/g)!
      words.splice(10, 2, word(number), word(number - 1))
      return {
        ...log,
        data: `0x${words.join('')}`.replace(/^0x.{64}/, `0x${word(number)}`),
        blockNumber: `0x${number.toString(16)}`,
      }
    }
    const caller = new AbortController()
    onTestFinished(() => caller.abort())
    const real = logOf(world, world.witnessed[0]!, 0)
    let answers = 0
    node.newest = ALL + 100
    node.onRpc = ({ method, params }, result) => {
      if (method === 'eth_call') {
        const words = (result as string).slice(2).match(/.{64}/g)!
        words.splice(2, 4, word(ALL), word(ALL), word(1), word(ALL))
        return `0x${words.join('')}`
      }
      if (method !== 'eth_getLogs') return result
      answers += 1
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string }
      const [from, to] = [Math.max(Number(fromBlock), Number(toBlock) - 99), Number(toBlock)]
      if (from > Number(fromBlock)) return refuseRpc('query exceeds max block range')
      return Array.from({ length: to - from + 1 }, (_, at) => madeUp(real, from + at))
    }
    const error = await failureOf(open({ signal: caller.signal }))
    expect(error).toMatchObject({ code: 'chain-answer' })
    expect(error.message).toContain('a registry takes signed heads alone')
    expect(answers).toBeLessThan(100)
  })

  it('tells of a head without an entry, which a registry does not take, is not believed', async () => {
    const empty = new Recording('of nothing', { groups: [group], keys: recording.keys })
    const { head } = empty.publish({}, { size: 0, page: random.bytes(32) })
    const witness = new Witness()
    witness.anchor(head)
    for (const { head } of recording.pages) witness.anchor(head)
    node.world = { ...world, witnessed: witness.witnessed }
    expect(await failureOf(open())).toMatchObject({ code: 'chain-answer' })
  })

  // As many as are followed: they are signed one by one.
  if (takesWhole())
    it('that tells of signed heads without end leaves what was anchored first as it is', async () => {
      const honest = { ...world, witnessed: world.witnessed.slice(0, 3) }
      node.world = honest
      endlessHeads(node, recording, honest).maxLogs = 4_000
      const session = await open()
      expect(session.heads).toHaveLength(MAX_HEADS + 1)
      expect(session.heads.slice(0, 3).map(({ verdict }) => verdict)).toEqual(['good', 'good', 'good'])
      expect(session.heads.at(-1)).toMatchObject({
        verdict: 'not-followed',
        why: `the chain has ${ALL_HEADS} heads, of which the first ${MAX_HEADS} are followed`,
      })
      expect(Buffer.concat([...plaintexts.values()]).equals(await session.bytes())).toBe(true)
    })

  describe('of which one machine lacks the newest blocks', () => {
    const newest = world.witnessed.at(-1)!.block
    const blockOf = ({ blockNumber }: FakeLog) => Number(blockNumber)
    beforeEach(() => {
      node.newest = newest
    })

    it.each<[string, method: string, told: (result: unknown) => unknown]>([
      [
        'and says that there are no events in them',
        'eth_getLogs',
        (logs) => (logs as FakeLog[]).filter((log) => blockOf(log) < newest),
      ],
      [
        'and refuses to tell of them',
        'eth_getLogs',
        (logs) =>
          (logs as FakeLog[]).some((log) => blockOf(log) === newest)
            ? refuseRpc('block range extends beyond current head block')
            : logs,
      ],
      [
        'and knows no such block',
        'eth_getBlockByNumber',
        (block) => (Number((block as { number: string }).number) === newest ? null : block),
      ],
    ])('%s, is asked about one that it has', async (_, method, told) => {
      node.onRpc = (request, result) => (request.method === method ? told(result) : result)
      const session = await open()
      expect(session.heads.map(({ blockNumber }) => blockNumber)).toEqual([newest - 3])
      expect(session).toMatchObject({ ending: 'open', size: 2 })
    })

    it('is not said to keep heads back where it lacks the first of them', async () => {
      const only = { ...world, witnessed: world.witnessed.slice(0, 1) }
      node.world = only
      node.newest = only.witnessed[0]!.block
      node.onRpc = ({ method }, result) => (method === 'eth_getLogs' ? [] : result)
      expect(await failureOf(open())).toMatchObject({ code: 'not-registered' })
    })

    it('keeps heads back where it does not tell of older ones either', async () => {
      node.onRpc = ({ method }, result) => (method === 'eth_getLogs' ? [] : result)
      expect(await failureOf(open())).toMatchObject({ code: 'heads-withheld' })
    })
  })

  it('of which one machine lacks the newest block is asked about one that it has', async () => {
    node.onRpc = ({ method, params }, result) =>
      method === 'eth_call' && Number(params[1]) > 997 ? refuseRpc('header not found') : result
    expect((await open()).heads).toHaveLength(4)
  })

  it.each([
    ['header not found', 'chain-unreachable'],
    ['limit exceeded', 'chain-unreachable'],
    ['daily request count exceeded, credits are used up', 'chain-unreachable'],
    ["Can't route your request to suitable provider", 'chain-unreachable'],
    ['Cannot fulfill request', 'chain-unreachable'],
    ['Internal error', 'chain-unreachable'],
    ['Request timeout on the free tier', 'chain-unreachable'],
    ['block not found: 1234', 'chain-unreachable'],
    ['cannot query unfinalized data', 'chain-unreachable'],
    ['missing trie node 1f2e (path ) state 0x is not available', 'chain-unreachable'],
    ['historical state 1f2e is not available', 'chain-unreachable'],
    ['No state available for block 0x12', 'chain-unreachable'],
    ['World state unavailable', 'chain-unreachable'],
    ['the method eth_call does not exist/is not available', 'chain-answer'],
    ['Method not found', 'chain-answer'],
    ['execution reverted', 'chain-answer'],
  ])('that refuses with “%s” is told as %s', async (message, code) => {
    node.onRpc = ({ method }, result) => (method === 'eth_call' ? refuseRpc(message) : result)
    expect(await failureOf(open())).toMatchObject({ code })
  })

  it('is asked by as many requests at a time as Node takes without a warning, and of as many places as may be named', async () => {
    node.world = await longLog()
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    // One node by as many names as may be given.
    const rpcUrls = Array.from({ length: 32 }, (_, at) => `${node.rpcUrl}#${at}`)
    const session = await open({ name: hex(node.world.name), chain: { rpcUrls, registry: REGISTRY } })
    const gateway = rpcUrls.map((_, at) => `${node.gateway}/#${at}`)
    const newest = openSession({ head: 'newest', name, gateway, groupKey: group.privateKey })
    await newest.catch(() => {})
    const list = listSessions({
      chain: { rpcUrls, registry: REGISTRY },
      group: { privateKey: group.privateKey },
    })
    await list.catch(() => {})
    await new Promise(setImmediate)
    process.off('warning', listen)
    expect(session.heads).toHaveLength(12)
    expect(session.nodes).toHaveLength(32)
    expect(warnings).toEqual([])
  })

  it('that nobody is behind is unreachable', async () => {
    const rpcUrl = 'http://127.0.0.1:1/'
    expect(await failureOf(open({ chain: { rpcUrl, registry: REGISTRY } }))).toMatchObject({
      code: 'chain-unreachable',
      class: 'transient',
    })
  })
})

describe('a long recording', () => {
  /** As many as a test may take time for; nothing here depends on the number. */
  const CHUNKS = 300
  const PAGES = 50
  const long = new Recording('long recording', { groups: [group] })
  const longName = hex(long.keys.name)
  beforeAll(async () => {
    for (let index = 0; index < CHUNKS; index++) {
      await long.chunk(index, text(`chunk ${index}`))
      if ((index + 1) % (CHUNKS / PAGES) === 0) long.publish()
    }
  })
  beforeEach(() => {
    node.world = worldOf(long)
  })

  it('is read but for the one chunk whose object is missing', async () => {
    const gone = long.chunks[CHUNKS / 2]!
    node.onObject = (cid, bytes) => (cid === gone.cid ? undefined : bytes)
    const session = await open({ name: longName })
    const bad = []
    let proved = 0
    for await (const chunk of session.chunks()) {
      if (chunk.verdict === 'proved') proved += 1
      else bad.push([chunk.index, chunk.verdict])
    }
    expect(bad).toEqual([[gone.index, 'chunk-missing']])
    expect(proved).toBe(CHUNKS - 1)
  })

  it('has its pages read many at a time', async () => {
    let [now, most] = [0, 0]
    let allow = () => {}
    const enough = new Promise<void>((resolve) => {
      allow = resolve
    })
    node.onObject = async (_, bytes) => {
      now += 1
      most = Math.max(most, now)
      if (now === PAGES_AT_A_TIME) allow()
      await enough
      now -= 1
      return bytes
    }
    expect((await open({ name: longName })).listed).toHaveLength(CHUNKS)
    expect(most).toBe(PAGES_AT_A_TIME)
  })

  it('whose two pages before the newest are lost is found by its earlier heads, but for those', async () => {
    const entriesOf = (page: number) => ({
      from: long.pages[page - 1]!.from,
      to: Number(long.pages[page - 1]!.head.size),
    })
    // An odd number has no other links than these two.
    const last = PAGES - 1
    const lost = new Set([last - 1, last - 2].map((page) => rawAddress(long.pages[page - 1]!.digest)))
    node.onObject = (cid, bytes) => (lost.has(cid) ? undefined : bytes)
    const to = entriesOf(last - 1).to
    const openWith = (pages: readonly number[]) => {
      const witness = new Witness()
      for (const page of pages) witness.anchor(long.pages[page - 1]!.head)
      node.world = { ...worldOf(long), witnessed: witness.witnessed }
      return open({ name: longName })
    }
    const each = Array.from({ length: last }, (_, at) => at + 1)
    expect(await openWith(each)).toMatchObject({ lostEntries: [{ from: entriesOf(last - 2).from, to }] })
    // Those between an earlier head and the newest are hidden, and no others.
    expect(await openWith([last - 10, last])).toMatchObject({
      lostEntries: [{ from: entriesOf(last - 9).from, to }],
    })
  })

  it('of which only the newest head is anchored is found along the links, each page once', async () => {
    const witness = new Witness()
    witness.anchor(long.pages.at(-1)!.head)
    node.world = { ...worldOf(long), witnessed: witness.witnessed }
    const session = await open({ name: longName })
    expect(session.listed).toHaveLength(CHUNKS)
    const asked = node.asked.filter((what) => long.objects.has(what))
    expect(asked).toHaveLength(PAGES)
  })

  it('asks a silent gateway for some pages only', async () => {
    node.onObject = () => 503
    expect(await failureOf(open({ name: longName }))).toMatchObject({ code: 'gateway-unreachable' })
    // Each twice, as the next one may be answered.
    const pages = new Set(node.asked.filter((what) => long.objects.has(what)))
    expect(pages.size).toBeLessThanOrEqual(2 * PAGES_AT_A_TIME)
  })
})

describe('a list of everything at the end', () => {
  const CHUNKS = 40
  const listing = async (changeEntry?: number, most?: number) => {
    const long = new Recording('listing', { groups: [group] })
    const witness = new Witness()
    for (let index = 0; index < CHUNKS; index++) {
      await long.chunk(index, text(`chunk ${index}`))
      witness.anchor(long.publish().head)
    }
    const earlier = long.pages.map(({ digest }) => hex(digest))
    long.end('complete', CHUNKS)
    if (changeEntry !== undefined) long.entries[changeEntry] = long.entries[changeEntry - 1]!
    const before = new Set(long.objects.keys())
    witness.anchor(long.relist(most).head)
    const lists = [...long.objects.keys()].filter((cid) => !before.has(cid))
    node.world = {
      name: long.keys.name,
      group,
      witnessed: witness.witnessed,
      objects: new Map(long.objects),
    }
    const pageCids = new Set(
      [...long.objects.keys()].filter((cid) => !long.chunks.some((c) => c.cid === cid)),
    )
    const pagesAsked = () => node.asked.filter((cid) => pageCids.has(cid))
    return { long, earlier, lists, pagesAsked, name: hex(long.keys.name) }
  }
  const opened = async (session: Awaited<ReturnType<typeof open>>) => {
    expect(Buffer.from(await session.bytes()).toString()).toBe(
      Array.from({ length: CHUNKS }, (_, index) => `chunk ${index}`).join(''),
    )
    return session
  }

  it('is all that is asked for of pages, and the heads before it are checked by it', async () => {
    const { lists, pagesAsked, name: of } = await listing()
    const session = await opened(await open({ name: of }))
    // Whatever a busy machine has it ask for once more.
    expect([...new Set(pagesAsked())]).toEqual(lists)
    expect(session.heads.map(({ verdict }) => verdict)).toEqual(Array<string>(CHUNKS + 1).fill('good'))
    expect(session.heads.every(({ lateMs }) => lateMs !== undefined)).toBe(true)
    const times = node.world.witnessed.map(({ timeMs }) => timeMs)
    expect(session.listed.map(({ existedBeforeMs }) => existedBeforeMs)).toEqual(times.slice(0, CHUNKS))
    expect(session).toMatchObject({ ending: 'complete', size: CHUNKS + 2, lostEntries: [], forked: [] })
  })

  it.each([undefined, 9])(
    'that cannot be fetched costs nothing: the pages before it have it all (%s)',
    async (most) => {
      const { lists, name: of } = await listing(undefined, most)
      const lost = lists.at(-1)
      node.onObject = (cid, bytes) => (cid === lost ? undefined : bytes)
      const session = await opened(await open({ name: of }))
      expect(session.ending).toBe('complete')
      expect(session.lostEntries).toEqual([{ from: CHUNKS + 1, to: CHUNKS + 2 }])
    },
  )

  it('that says anything else is a fork, and all that was anchored before stands', async () => {
    const { name: of } = await listing(20)
    const session = await opened(await open({ name: of }))
    expect(session.heads.map(({ verdict }) => verdict).slice(-2)).toEqual(['good', 'forked'])
    expect(session.size).toBe(CHUNKS + 1)
  })
})

// Promise 9 of docs/guarantees.md.
describe('full pages instead of small ones', () => {
  const CHUNKS = 60
  const PER_PAGE = 10
  /** One page for each chunk, of which each tenth is a full one; the last few are small. */
  const recorded = async () => {
    const long = new Recording('full pages', { groups: [group] })
    const witness = new Witness()
    for (let index = 0; index < CHUNKS + 3; index++) {
      await long.chunk(index, text(`chunk ${index}`))
      const isFull = index % PER_PAGE === PER_PAGE - 1
      witness.anchor((isFull ? long.publishFull(Math.floor(index / PER_PAGE)) : long.publish()).head)
    }
    node.world = { ...worldOf(long), witnessed: witness.witnessed }
    const cids = long.pages.map(({ digest }) => rawAddress(digest))
    return {
      long,
      witness,
      found: long.found().map(({ digest }) => rawAddress(digest)),
      cids,
      name: hex(long.keys.name),
    }
  }

  it('are all that is asked for of pages, of a recording that has not ended too', async () => {
    const { found, cids, name: of } = await recorded()
    const session = await open({ name: of })
    expect(found).toHaveLength(CHUNKS / PER_PAGE + 3)
    expect(node.asked.filter((cid) => cids.includes(cid)).toSorted()).toEqual(found.toSorted())
    expect(session).toMatchObject({ ending: 'open', size: CHUNKS + 4, lostEntries: [], forked: [] })
    expect(session.heads.map(({ verdict }) => verdict)).toEqual(Array<string>(CHUNKS + 3).fill('good'))
    const times = node.world.witnessed.map(({ timeMs }) => timeMs)
    expect(session.listed.map(({ existedBeforeMs }) => existedBeforeMs)).toEqual(times)
  })

  it.each([0, 2, 5])(
    'cost one entry where one is lost: the small ones have the others (full page %i)',
    async (at) => {
      const { found, name: of } = await recorded()
      node.onObject = (cid, bytes) => (cid === found[at] ? undefined : bytes)
      const session = await open({ name: of })
      const position = (at + 1) * PER_PAGE
      expect(session.listed).toHaveLength(CHUNKS + 2)
      expect(session.lostEntries).toEqual([{ from: position, to: position + 1 }])
      expect(session.heads.every(({ verdict }) => verdict === 'good')).toBe(true)
    },
  )

  it('are of the same log as the small ones, or a fork', async () => {
    const { long, witness, name: of } = await recorded()
    long.entries[20] = long.entries[21]!
    await long.chunk(CHUNKS + 3, text('more'))
    witness.anchor(long.publishFull(1).head)
    node.world = { ...worldOf(long), witnessed: witness.witnessed }
    const session = await open({ name: of })
    expect(session.heads.map(({ verdict }) => verdict).slice(-2)).toEqual(['good', 'forked'])
    expect(session.size).toBe(CHUNKS + 4)
  })
})

it.each(['<!DOCTYPE html><title>Sign in</title>', '\n <html lang="en">'])(
  'a network that answers each request with its own page says nothing of the evidence: %s',
  async (page) => {
    node.onObject = () => Buffer.from(page)
    expect(await failureOf(open())).toMatchObject({ code: 'gateway-unreachable', class: 'transient' })
    node.onObject = (cid, bytes) => (cid === cidOf(0) ? Buffer.from(page) : bytes)
    const session = await open()
    const { value: first } = await session.chunks().next()
    expect(first).toMatchObject({ verdict: 'gateway-unreachable' })
  },
)

describe('while a gateway is silent', () => {
  /** A session whose chunks nobody answers for, and when the first of them is asked for. */
  async function silentChunks() {
    const session = await open()
    node.asked.length = 0
    node.onObject = () => new Promise(() => {})
    return { session, asked: () => vi.waitFor(() => expect(node.asked).toHaveLength(1)) }
  }

  it.each<[string, (session: VerifiedSession) => AsyncGenerator<unknown, void, undefined>]>([
    ['chunks', (session) => session.chunks()],
    ['a range', (session) => session.range(0)],
  ])('who leaves the reading of %s waits for nothing', async (_, reading) => {
    const { session, asked } = await silentChunks()
    const items = reading(session)
    const next = items.next()
    await asked()
    expect(await items.return()).toEqual({ done: true, value: undefined })
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('who cancels a stream waits for nothing', async () => {
    const { session, asked } = await silentChunks()
    const reader = session.stream().getReader()
    const next = reader.read()
    await asked()
    await reader.cancel()
    expect(await next).toEqual({ done: true, value: undefined })
  })
})

describe('a caller', () => {
  it('who aborts gets the reason of the signal, while opening and while reading', async () => {
    const reason = new Error('enough')
    await expect(open({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(node.asked).toEqual([])

    for (const at of [cidOf(1), 'page'] as const) {
      const caller = new AbortController()
      node.onObject = (cid, bytes) => {
        if (cid === at || at === 'page') caller.abort(reason)
        return bytes
      }
      const reading = open({ signal: caller.signal }).then((session) => session.bytes({ partial: true }))
      await expect(reading).rejects.toBe(reason)
    }
  })

  it('who aborts while its key and its notes are opened gets the reason, too', async () => {
    const caller = new AbortController()
    const reason = new Error('enough')
    const onProgress = ({ step }: VerificationProgress) => {
      if (step === 'checking the group') caller.abort(reason)
    }
    await expect(open({ signal: caller.signal, onProgress })).rejects.toBe(reason)
  })

  const SEEN = { size: 1, root: '0'.repeat(64), blockNumber: 1, timeMs: 1_000 }
  /** As many as a link may name. */
  const MANY = Array.from({ length: 10_000 }, (_, at) => `http://127.0.0.1:9/${at}`)
  it.each<[name: string, changes: object]>([
    ['name', { name: 'x' }],
    ['name', { name: name.toUpperCase() }],
    ['groupKey', { groupKey: new Uint8Array(31) }],
    ['groupKey', { groupKey: '0x00' }],
    ['chain.rpcUrl', { chain: undefined }],
    ['chain.rpcUrl', { chain: { rpcUrl: 'ws://127.0.0.1/', registry: REGISTRY } }],
    ['chain.registry', { chain: { rpcUrl: node.rpcUrl, registry: '0x12' } }],
    ['chain.registry', { chain: { rpcUrl: node.rpcUrl } }],
    ['chain.rpcUrls', { chain: { rpcUrls: MANY, registry: REGISTRY } }],
    ['gateway', { gateway: MANY }],
    ['gateway', { gateway: 'ipfs.example' }],
    ['gateway', { gateway: undefined }],
    ['gateway', { gateway: 'http://me:secret@127.0.0.1:1/' }],
    ['gateway', { gateway: 'http://secret@127.0.0.1:1/' }],
    ['chain.rpcUrl', { chain: { rpcUrl: 'http://me:secret@127.0.0.1:1/', registry: REGISTRY } }],
    ['seen', { seen: [null] }],
    ['seen', { seen: ['text'] }],
    ['seen', { seen: [{ size: 1, root: 'no root', blockNumber: 1, timeMs: 1 }] }],
    ['seen', { seen: [{ ...SEEN, blockNumber: 'x' }] }],
    ['seen', { seen: [{ ...SEEN, timeMs: undefined }] }],
    ['cidProfile', { cidProfile: { leafBytes: 1, maxLinks: 1 } }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Infinity }],
  ])('who passes a wrong %s is told so before anyone is asked: %j', async (field, changes) => {
    const error = await failureOf(openSession(Object.assign(options(), changes)))
    expect(error).toMatchObject({ code: 'bad-input', step: 'checking the arguments' })
    expect(error.message).toContain(`${field} must be `)
    expect(node.asked).toEqual([])
  })
})
