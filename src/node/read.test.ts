import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rawAddress } from '../../e2e/second-implementation/address.ts'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { Witness, worldOf } from '../../e2e/second-implementation/evidence-world.ts'
import { REGISTRY, startFakeNode } from '../../e2e/second-implementation/fake-node.ts'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { groupOf, Recording, signedHeadBytes, type How } from '../../e2e/second-implementation/recording.ts'
import { sha256Hex } from '../evidence/digest.ts'
import { pageCid } from '../evidence/page.ts'
import { formatLink, keyText, openSession } from '../verify/index.ts'
import { EXIT, exitOf, read } from './read.ts'
import { summaryOf } from './summary.ts'

const group = groupOf(randomFrom('read.test').bytes(32))
const VIDEO = ['the header, ', 'a piece, ', 'and the rest']

async function recorded(seed: string, end?: How, indexes = VIDEO.length): Promise<Recording> {
  const recording = new Recording(seed, { groups: [group] })
  for (const [index, piece] of VIDEO.entries()) await recording.chunk(index, text(piece))
  if (end) recording.end(end, indexes)
  recording.publish()
  return recording
}
const whole = await recorded('whole', 'complete')
const node = await startFakeNode(worldOf(whole))
afterAll(() => node.close())

let folder: string
let out: string
beforeEach(async () => {
  node.world = worldOf(whole)
  node.onObject = undefined
  node.onRpc = undefined
  folder = await mkdtemp(join(tmpdir(), 'holdfast-read-'))
  out = join(folder, 'video.webm')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const linkTo = ({ keys }: Recording, groupKey?: Uint8Array) =>
  formatLink('https://app.example/', {
    name: hex(keys.name) as never,
    rpcUrls: [node.rpcUrl],
    registry: REGISTRY,
    gateways: [node.gateway],
    ...(groupKey && { groupKey: Uint8Array.from(groupKey) }),
  })

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const lines: string[] = []
  const told: string[] = []
  const exit = await read(args, {
    env,
    out: (line) => lines.push(line),
    tell: (line) => told.push(line),
    progress: () => {},
    signal: new AbortController().signal,
  })
  return { exit, lines, told: told.join('\n') }
}
const left = () => readdir(folder)
const link = linkTo(whole, group.privateKey)

describe('holdfast read', () => {
  it('writes a whole recording, and nothing else', async () => {
    const { exit, lines, told } = await run(['read', link, '--out', out])
    expect([exit, lines]).toEqual([EXIT.whole, []])
    expect(await readFile(out, 'utf8')).toBe(VIDEO.join(''))
    expect(await left()).toEqual(['video.webm'])
    expect(told).toContain('Proved: 3 of 3 chunks, 33 bytes')
  })

  it('tells a verdict for each chunk, and needs no file', async () => {
    node.onObject = (cid, bytes) => (cid === whole.chunks[1]!.cid ? undefined : bytes)
    const { exit, lines } = await run(['read', link, '--verdicts'])
    expect(exit).toBe(EXIT.partial)
    const { capturedAtMs } = whole.chunks[1]!
    const before = new Date(node.world.witnessed[0]!.timeMs).toISOString()
    expect(lines.map((line) => line.split('\t').slice(0, 3))).toEqual([
      ['0', 'proved', '12'],
      ['1', 'chunk-missing', '-'],
      ['2', 'proved', '12'],
    ])
    expect(lines[1]?.split('\t').slice(3)).toEqual([new Date(capturedAtMs).toISOString(), before])
  })

  it.each<[name: string, key: (link: string) => readonly [string[], Record<string, string>]]>([
    ['an argument', () => [['--key', keyText(group.privateKey)], {}]],
    ['hex', () => [['--key', hex(group.privateKey)], {}]],
    ['the environment', () => [[], { HOLDFAST_KEY: keyText(group.privateKey) }]],
    ['a file', () => [['--key', `@${join(folder, 'key')}`], {}]],
  ])('takes the key from %s', async (_, key) => {
    await writeFile(join(folder, 'key'), `Holdfast group key\n\nKey: ${keyText(group.privateKey)}\n`)
    const [args, env] = key(link)
    expect((await run(['read', linkTo(whole), ...args], env)).exit).toBe(EXIT.whole)
  })

  it.each(['\u001b[2J\u001b[H', '\u009b2J', '\n', '\u202e'])(
    'shows what a link says in one line, and as no order to the terminal: %j',
    async (order) => {
      const forged = link.replace('holdfast=2', `holdfast=${encodeURIComponent(`${order}Proved: 3`)}`)
      const { exit, told } = await run(['read', forged])
      expect(exit).toBe(EXIT.unseen)
      expect(told).toContain('Proved: 3')
      expect(told).not.toContain(order)
    },
  )

  it('takes the key of the link where the environment has an empty one', async () => {
    expect((await run(['read', link], { HOLDFAST_KEY: '' })).exit).toBe(EXIT.whole)
  })

  it('takes a bare name with all else as arguments, and reads from a folder of objects', async () => {
    for (const [cid, bytes] of node.world.objects) await writeFile(join(folder, cid), bytes)
    node.onObject = () => 503
    const chain = ['--node', node.rpcUrl, '--registry', REGISTRY]
    const key = ['--key', keyText(group.privateKey)]
    const places = ['--gateway', node.gateway, '--folder', folder]
    const name = hex(whole.keys.name)
    expect(await run(['read', name, ...chain, ...key, ...places])).toMatchObject({ exit: EXIT.whole })
  })

  it.each<[name: string, end: How | undefined, indexes: number | undefined]>([
    ['interrupted', 'interrupted', undefined],
    ['without an end', undefined, undefined],
    ['lacks chunks that were cut', 'complete', 5],
  ])(
    'that finds a recording that is %s ends with 1, and keeps what is proved',
    async (seed, end, indexes) => {
      const recording = await recorded(seed, end, indexes)
      node.world = worldOf(recording)
      const { exit } = await run(['read', linkTo(recording, group.privateKey), '--out', out])
      expect(exit).toBe(EXIT.partial)
      expect(await readFile(out, 'utf8')).toBe(VIDEO.join(''))
    },
  )

  it('counts all chunks that are missing, also those that are too many to be named', async () => {
    const recording = await recorded('billions', 'complete', 4_000_000_000)
    node.world = worldOf(recording)
    const { told } = await run(['read', linkTo(recording, group.privateKey)])
    expect(told).toContain(
      `Missing: chunk 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, … (${4_000_000_000 - VIDEO.length})`,
    )
  })

  it('that finds a fork ends with 1, and tells of it', async () => {
    const honest = await recorded('forked')
    const witness = new Witness()
    witness.anchor(honest.pages[0]!.head)
    const thief = honest.copy('thief')
    honest.note({ number: 1 })
    witness.anchor(honest.publish().head)
    thief.note({ number: 2 })
    thief.note({ number: 3 })
    thief.end('complete', VIDEO.length)
    witness.anchor(thief.publish().head)
    const objects = new Map([...honest.objects, ...thief.objects])
    node.world = { name: honest.keys.name, group, witnessed: witness.witnessed, objects }
    const { exit, told } = await run(['read', linkTo(honest, group.privateKey), '--out', out])
    expect(exit).toBe(EXIT.partial)
    expect(told).toMatch(/Forked: the heads from block 13 on .*3 entries of theirs left out/)
  })

  it('that has more heads than are followed ends with 1, and none of them is called a contradiction', async () => {
    const { rpcUrl, gateway } = node
    const name = hex(whole.keys.name)
    const chain = { rpcUrl, registry: REGISTRY }
    const session = await openSession({ chain, gateway, name, groupKey: group.privateKey })
    const tally = { proved: 3, provedBytes: 33, beforeMs: 0, bad: {} }
    expect(exitOf(session, tally)).toBe(EXIT.whole)
    const [first] = session.heads
    const why = 'the chain has 70000 heads, of which the first 65536 are followed'
    const more = {
      ...session,
      heads: [first!, { ...first!, blockNumber: 99, verdict: 'not-followed' as const, why }],
    }
    expect(exitOf(more, tally)).toBe(EXIT.partial)
    const told = summaryOf(more, tally)
    expect(told).toContain(`Not followed: the heads from block 99 on: ${why}`)
    expect(told.join()).not.toContain('Forked')
  })

  it('is whole though small pages are gone in whose place a full one came', async () => {
    const recording = new Recording('full', { groups: [group] })
    const witness = new Witness()
    await recording.chunk(0, text(VIDEO[0]!))
    recording.publish()
    await recording.chunk(1, text(VIDEO[1]!))
    const small = recording.publish()
    witness.anchor(small.head)
    await recording.chunk(2, text(VIDEO[2]!))
    recording.end('complete', 3)
    witness.anchor(recording.publishFull(1).head)
    const { keys } = recording
    const objects = new Map(recording.objects)
    objects.delete(rawAddress(small.digest))
    node.world = { name: keys.name, group, witnessed: witness.witnessed, objects }
    const { exit, told } = await run(['read', linkTo(recording, group.privateKey)])
    expect(told).toContain('Proved: 3 of 3 chunks')
    expect(exit).toBe(EXIT.whole)
  })

  it('tells of times that no calendar has, and of each chunk', async () => {
    const never = 2 ** 53 - 1
    const recording = new Recording('never', { groups: [group] })
    await recording.chunk(0, text(VIDEO[0]!), { capturedAtMs: never })
    await recording.chunk(1, text(VIDEO[1]!))
    recording.end('complete', 2)
    recording.publish()
    node.world = worldOf(recording)
    const { exit, lines } = await run(['read', linkTo(recording, group.privateKey), '--verdicts'])
    expect(exit).toBe(EXIT.whole)
    expect(lines.map((line) => line.split('\t').slice(0, 2))).toEqual([
      ['0', 'proved'],
      ['1', 'proved'],
    ])
    expect(lines[0]).toContain(`\t${never} ms after 1970\t`)
  })

  it('shows what a recorder calls its video in one line, whatever it writes there', async () => {
    const mimeType = 'video/webm\nProved: 9 of 9 chunks\r\u001b[2A\u202e'
    const recording = new Recording('lines', { groups: [group], mimeType })
    await recording.chunk(0, text('a piece'))
    recording.publish()
    node.world = worldOf(recording)
    const { told } = await run(['read', linkTo(recording, group.privateKey)])
    for (const sign of ['\r', '\u001b', '\u202e', '\nProved: 9']) expect(told).not.toContain(sign)
    expect(told).toMatch(/^Began .*video\/webm\ufffdProved: 9 of 9 chunks/m)
  })

  it.each<[name: string, spoil: () => void, exit: number]>([
    ['a gateway that has other bytes for every chunk', () => spoilChunks(Buffer.from('other')), EXIT.broken],
    ['a gateway that is silent', () => (node.onObject = () => 503), EXIT.unseen],
    ['a gateway that is silent about chunks', () => spoilChunks(503), EXIT.unseen],
    ['a gateway that has nothing', () => (node.onObject = () => undefined), EXIT.broken],
    ['a node that contradicts itself', () => (node.onRpc = () => '0x'), EXIT.broken],
  ])('that meets %s leaves no file', async (_, spoil, exit) => {
    spoil()
    const result = await run(['read', link, '--out', out])
    expect(result.exit).toBe(exit)
    expect(await left()).toEqual([])
  })

  it('never replaces a file, unless told', async () => {
    await writeFile(out, 'mine')
    const refused = await run(['read', link, '--out', out])
    expect(refused.exit).toBe(EXIT.unseen)
    expect(refused.told).toContain('--force')
    expect(await readFile(out, 'utf8')).toBe('mine')
    expect((await run(['read', link, '--out', out, '--force'])).exit).toBe(EXIT.whole)
    expect(await readFile(out, 'utf8')).toBe(VIDEO.join(''))
    expect(await left()).toEqual(['video.webm'])
  })

  it('never replaces a file that is made while it reads', async () => {
    node.onObject = async (cid, bytes) => {
      if (cid === whole.chunks[2]!.cid) await writeFile(out, 'made meanwhile')
      return bytes
    }
    const { exit, told } = await run(['read', link, '--out', out])
    expect(exit).toBe(EXIT.unseen)
    expect(told).toContain('was made meanwhile')
    expect(await readFile(out, 'utf8')).toBe('made meanwhile')
    const [, kept = ''] = /the recording is in (.*)$/m.exec(told) ?? []
    expect(await readFile(kept, 'utf8')).toBe(VIDEO.join(''))
  })

  it('keeps what it has read where that cannot get its name', async () => {
    node.onObject = async (cid, bytes) => {
      if (cid === whole.chunks[2]!.cid) await mkdir(out)
      return bytes
    }
    const { exit, told } = await run(['read', link, '--out', out, '--force'])
    expect(exit).toBe(EXIT.unseen)
    const [, kept = ''] = /the recording is in (.*)$/m.exec(told) ?? []
    expect(await readFile(kept, 'utf8')).toBe(VIDEO.join(''))
  })

  it.each<[what: string, make: () => Promise<unknown>, args: string[]]>([
    ['is a folder, also where it may be replaced', () => mkdir(out), ['--force']],
    ['is a link to nothing', () => symlink('nowhere', out), []],
    ['has no name', async () => (out = ''), []],
  ])('asks for nothing where its file %s', async (_, make, args) => {
    await make()
    const before = await left()
    node.asked.length = 0
    const { exit } = await run(['read', link, '--out', out, ...args])
    expect([exit, node.asked, await left()]).toEqual([EXIT.unseen, [], before])
  })

  it('keeps the old file where the reading fails', async () => {
    await writeFile(out, 'mine')
    node.onObject = () => 503
    expect((await run(['read', link, '--out', out, '--force'])).exit).toBe(EXIT.unseen)
    expect(await readFile(out, 'utf8')).toBe('mine')
    expect(await left()).toEqual(['video.webm'])
  })

  it('shows help, and what is wrong with an argument', async () => {
    expect(await run(['--help'])).toMatchObject({
      exit: EXIT.whole,
      lines: [expect.stringContaining('npx holdfast read')],
    })
    const wrong: [string[], string][] = [
      [['write', link], 'no command'],
      [['read'], 'one link'],
      [['read', link, '--what'], '--what'],
      [['read', linkTo(whole)], '--key'],
      [['read', link, '--key', 'short'], 'private key'],
      [['read', 'nonsense'], 'holdfast=2'],
      [['read', link, '--node', 'ftp://x'], 'chain.rpcUrl'],
      [['read', hex(whole.keys.name), '--key', hex(group.privateKey)], '--node'],
      [['read', link, '--out', join(folder, 'nowhere', 'x')], 'ENOENT'],
    ]
    for (const [args, words] of wrong) {
      const { exit, told } = await run(args)
      expect([exit, told]).toEqual([EXIT.unseen, expect.stringContaining(words)])
      expect(told).not.toContain(keyText(group.privateKey))
    }
  })
})

function spoilChunks(served: Buffer | number) {
  const cids = new Set(whole.chunks.map(({ cid }) => cid))
  node.onObject = (cid, bytes) => (cids.has(cid) ? served : bytes)
}

describe('from a head alone', () => {
  it('a recording is read without a chain, and it is said that nobody has witnessed it', async () => {
    const bytes = Uint8Array.from(signedHeadBytes(whole.pages.at(-1)!.head))
    const head = pageCid(await sha256Hex(bytes))
    node.onObject = (cid, held) => (cid === head ? Buffer.from(bytes) : held)
    const name = hex(whole.keys.name) as never
    const gateways = [node.gateway]
    const published = formatLink('https://app.example/', { name, rpcUrls: [], head, gateways })
    const key = keyText(group.privateKey)
    const { exit, told, lines } = await run(['read', published, '--out', out, '--key', key, '--verdicts'])
    expect(exit).toBe(EXIT.whole)
    expect(told).toContain('Witnessed by nobody')
    expect(told).not.toContain('existed before')
    expect(lines[0]).toMatch(/\t-$/)
    expect(await readFile(out, 'utf8')).toBe(VIDEO.join(''))
    const byName = await run(['read', name, '--head', head, '--gateway', node.gateway, '--key', key])
    expect(byName.exit).toBe(EXIT.whole)
  })
})
