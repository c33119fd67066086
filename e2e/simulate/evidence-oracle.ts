import { toHex } from '../../src/evidence/bytes.ts'
import { parseSignedHead } from '../../src/evidence/head-parse.ts'
import { serialiseChunk } from '../../src/evidence/entry.ts'
import { pageCid } from '../../src/evidence/page.ts'
import { appendEntries, EMPTY_TREE, rootOf, type Tree } from '../../src/evidence/tree.ts'
import type { SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { ChunkRecord, SessionRecord } from '../../sw/core/record.ts'
import { isEmpty, signingKeyName } from '../../sw/core/session.ts'
import type { AnchorRequest, SignedHead } from '../../sw/ports/anchor.ts'
import type { Commit, DiskState } from '../../sw/testing/fake-disk.ts'
import { EVERY_MS, type Chain } from './chain.ts'
import { isSetBack } from './liveness.ts'
import { chunkEntryOf, PageNeverSent, publishedLogs, type PublishedLog } from './published-log.ts'
import type { Scene } from './simulated-scene.ts'
import type { StoreServer } from './store-server.ts'

/** Looks at what is written, signed, published and let go, with a reader's eyes. */
export interface EvidenceOracle {
  onCommit(commit: Commit): void
  /** The device signs these bytes. */
  onSigned(message: Uint8Array, disk: DiskState): void
  onSubmitting(request: AnchorRequest, disk: DiskState): void
  onPaid(request: AnchorRequest): void
  /** The bytes of this chunk are let go. */
  onConfirmed(chunk: ChunkRecord, disk: DiskState): void
  /** Nothing is left to do for this session. */
  onSettled(session: SessionRecord, disk: DiskState): void
}

/** What an end's entry begins with (`serialiseEnd`). */
const END = 2

type Entries = readonly Uint8Array<ArrayBuffer>[]

/** What a signature says of a log. */
interface Said {
  readonly size: number
  readonly root: Sha256Hex
  readonly page: Sha256Hex
  readonly end: boolean
}

export function createEvidenceOracle(
  scene: Scene,
  chain: () => Chain,
  server: () => StoreServer,
): EvidenceOracle {
  const { fail } = scene
  const signed = new Map<SessionId, Map<number, Said>>()
  /** Pages that were ever in flight: a person may have a session go elsewhere while its page is delivered. */
  const written = new Set<Sha256Hex>()
  const readLog = publishedLogs((cid) => server().bytesOf(cid))
  const logs = new Map<string, Promise<PublishedLog>>()
  /** The head that was handed over last, and when that was written down, ms since the epoch by the device's clock. */
  const handedOver = new Map<SessionId, { readonly size: number; readonly atMs: number }>()
  /** Pages on which a chunk was let go. */
  const relied = new Set<string>()
  const trees = new WeakMap<Uint8Array, Promise<Tree>>()

  const check = (holds: boolean, what: string) => {
    if (!holds) fail(what)
  }

  /** Resolves before the time goes on: nothing in it waits for anything. */
  const later = (work: Promise<void>) =>
    void work.catch((error: unknown) => fail(`the oracle itself ended with ${String(error)}`))

  const logOf = (head: SignedHead): Promise<PublishedLog> => {
    const id = JSON.stringify(head)
    const log = logs.get(id) ?? readLog(head)
    logs.set(id, log)
    return log
  }

  /** The tree of a log up to and with an entry, which is one object for as long as the disk keeps it. */
  function treeOf(entries: Entries, size: number): Promise<Tree> {
    const last = entries[size - 1]
    if (last === undefined) return Promise.resolve(EMPTY_TREE)
    const tree = trees.get(last) ?? treeOf(entries, size - 1).then((before) => appendEntries(before, [last]))
    trees.set(last, tree)
    return tree
  }

  /** What a reader finds wrong with letting go of a chunk for this head. */
  async function wrongBy(head: SignedHead, chunk: ChunkRecord): Promise<string | undefined> {
    let log: PublishedLog
    try {
      log = await logOf(head)
    } catch (error) {
      if (error instanceof PageNeverSent && server().liedOf(error.cid)) return undefined
      return `the head of ${head.size} entries is none: ${error instanceof Error ? error.message : error}`
    }
    const [position = -1, entry] = chunkEntryOf(log, chunk.index) ?? []
    if (entry === undefined || position !== chunk.position) return `the log of ${head.size} does not list it`
    if (chunk.state.seal === undefined) return 'it is not sealed'
    const ours = serialiseChunk({ ...chunk, ...chunk.state.seal })
    if (!Buffer.from(serialiseChunk(entry)).equals(ours))
      return `the log of ${head.size} lists another content`
    // What a chunk was let go on before, and is forgotten since, is the store's own doing; not the page that lists it.
    const own = log.pages[log.sizes.findIndex((to) => position < to)]
    const lacks = [...log.pages, entry.cid].find(
      (cid) => !server().stands(cid) && !(relied.has(cid) && cid !== own),
    )
    if (lacks === undefined) log.pages.forEach((cid) => relied.add(cid))
    return lacks && `${lacks === entry.cid ? 'its object' : 'the page'} ${lacks} is not at the store`
  }

  async function judge(chunk: ChunkRecord, heads: readonly SignedHead[]): Promise<void> {
    const wrongs: string[] = []
    for (const head of heads) {
      const wrong = await wrongBy(head, chunk)
      if (wrong === undefined) return
      wrongs.push(wrong)
    }
    fail(`${chunk.id} was confirmed, but ${wrongs[0]}`)
  }

  /** The head by which the store lets something go; null where that is the store's own lie, or was told of. */
  function publishedHead(what: string, session: SessionRecord | undefined): SignedHead | null {
    const { address = '' } = session?.anchored ?? {}
    const bytes = server().bytesOf(address)
    if (server().liedOf(address)) return null
    if (bytes !== undefined && server().stands(address)) return parseSignedHead(bytes)
    fail(`${what} was confirmed before its head was proved to be at the store`)
    return null
  }

  /** The log of a session only grows, and each chunk stays where it is. */
  function checkLog(id: SessionId, { before, after }: Commit): void {
    const session = after.sessions.get(id)
    if (session === undefined) return
    const [was, is] = [before.entries.get(id) ?? [], after.entries.get(id) ?? []]
    check(is.length === session.size, `${id} counts ${session.size} entries of ${is.length}`)
    const changed = was.findIndex(
      (entry, at) => entry !== is[at] && !Buffer.from(entry).equals(is[at] ?? Buffer.of()),
    )
    check(changed < 0, `entry ${changed} of ${id} changed`)
    const isOver = [...(after.heads.get(id)?.values() ?? [])].some(({ end }) => end)
    check(!isOver || !after.meta.has(signingKeyName(id)), `${id} keeps a key that has nothing left to sign`)
    // What is tried again at once may be handed over at once too.
    if (session.witnessing.submittedAtMs === 0) handedOver.delete(id)
    for (const [size, head] of before.heads.get(id) ?? []) {
      const now = after.heads.get(id)?.get(size)
      check(now?.root === head.root && now.page === head.page, `the head of ${size} entries of ${id} changed`)
    }
  }

  function checkPlace(chunk: ChunkRecord, was: ChunkRecord | undefined, disk: DiskState): void {
    const { id, position, state } = chunk
    check(
      (position !== undefined) === (state.seal !== undefined),
      `${id} is ${state.status}, and has the place ${position}`,
    )
    check(was?.position === undefined || was.position === position, `${id} has another place in the log`)
    if (position === undefined || was?.position === position || state.seal === undefined) return
    const entry = disk.entries.get(chunk.sessionId)?.[position]
    const ours = serialiseChunk({ ...chunk, ...state.seal })
    check(entry !== undefined && Buffer.from(entry).equals(ours), `entry ${position} is not that of ${id}`)
  }

  return {
    onCommit(commit) {
      for (const id of commit.sessions) {
        checkLog(id, commit)
        const { listing } = commit.after.sessions.get(id) ?? {}
        if (listing) written.add(listing.page)
        // Who gives a recording up may begin another under its name.
        if (!commit.after.sessions.has(id)) signed.delete(id)
      }
      for (const id of commit.chunks) {
        const chunk = commit.after.chunks.get(id)
        if (chunk) checkPlace(chunk, commit.before.chunks.get(id), commit.after)
      }
    },

    onSigned(message, disk) {
      const { id, size, root, page, end } = saidIn(message)
      const session = disk.sessions.get(id)
      if (session === undefined) return
      const what = `${id}: a head of ${size} entries was signed`
      const entries = disk.entries.get(id) ?? []
      check(size <= entries.length, `${what}, of which ${entries.length} are on the disk`)
      check(written.has(page), `${what} before its page was written down`)
      check(server().hadIt(pageCid(page)), `${what} before its page was stored`)
      const of = signed.get(id) ?? new Map<number, Said>()
      signed.set(id, of)
      const before = of.get(size)
      const isSame =
        before === undefined || (before.root === root && before.page === page && before.end === end)
      check(isSame, `${what} twice, and says otherwise`)
      of.set(size, { size, root, page, end })
      later(
        treeOf(entries, size)
          .then(rootOf)
          .then((ours) => check(ours === root, `${what} that is not of the log on the disk`)),
      )
    },

    onSubmitting({ head }, disk) {
      const id = idOf(head.name)
      const { size, signature } = head
      const what = `the head of ${size} entries of ${id} was handed over`
      check(disk.heads.get(id)?.get(size)?.signature === signature, `${what}, though it is not on the disk`)
      const session = disk.sessions.get(id)
      const { submitted, submittedAtMs = 0 } = session?.witnessing ?? {}
      check(submitted === size || scene.thefts > 0, `${what}, though that was not written down`)
      const before = handedOver.get(id)
      const isSoon = before !== undefined && before.size !== size && submittedAtMs - before.atMs < EVERY_MS
      // An end may have come since the step looked, or the recording may have gone on after it.
      const isEnd = disk.entries.get(id)?.[size - 1]?.[0] === END
      const mayBeLast = isEnd || (session !== undefined && session.ending !== 'recording')
      check(
        !isSoon || mayBeLast || scene.thefts > 0 || isSetBack(scene.history),
        `${what}, sooner than the app allows`,
      )
      handedOver.set(id, { size, atMs: submittedAtMs })
    },

    onPaid({ head }) {
      check(
        server().hadIt(pageCid(head.page)),
        `a head of ${idOf(head.name)} was anchored before its page was stored`,
      )
    },

    onConfirmed(chunk, disk) {
      const { id, sessionId } = chunk
      if (!scene.history.anchored) {
        const head = publishedHead(id, disk.sessions.get(sessionId))
        if (head) later(judge(chunk, [head]))
        return
      }
      const heads = chain().deep(sessionId)
      if (heads.length === 0) return fail(`${id} was confirmed before any head was deep enough`)
      const shown = chain().shown(sessionId)
      const ours = shown && disk.heads.get(sessionId)?.get(shown.size)
      check(
        scene.thefts > 0 || (shown !== undefined && ours?.root === shown.root),
        `${id} was confirmed, though the newest block does not show a head of its log`,
      )
      later(judge(chunk, heads))
    },

    onSettled(session, disk) {
      if (isEmpty(session)) return
      const { id, size, ending } = session
      const ours = disk.heads.get(id)?.get(size)
      const isWhole = (one: SignedHead) => one.size === size && one.root === ours?.root
      const published = scene.history.anchored ? undefined : publishedHead(id, session)
      if (published === null) return
      const head = published ? [published].find(isWhole) : chain().deep(id).find(isWhole)
      if (head === undefined)
        return fail(`${id} is settled, and the ${published ? 'store' : 'chain'} does not hold its whole log`)
      later(
        logOf(head).then(
          ({ entries }) => {
            const last = entries.at(-1)
            check(
              last?.kind === 'end' && last.how === ending,
              `${id} is settled, but its log has no such end`,
            )
          },
          (error: unknown) => {
            if (!(error instanceof PageNeverSent && server().liedOf(error.cid)))
              fail(
                `${id} is settled, but its head is none: ${error instanceof Error ? error.message : error}`,
              )
          },
        ),
      )
    },
  }
}

/** The session that a name begins with. */
const idOf = (name: string) =>
  name.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5') as SessionId

/** What is said in a head's 185 bytes (docs/evidence-format.md). */
function saidIn(message: Uint8Array): Said & { readonly id: SessionId } {
  const hex = (from: number, to: number) => toHex(message.subarray(from, to))
  const sizeAt = 16 + 32
  return {
    id: idOf(hex(16, sizeAt)),
    size: Number(new DataView(message.buffer, message.byteOffset + sizeAt).getBigUint64(0)),
    root: hex(56, 88) as Sha256Hex,
    page: hex(88, 120) as Sha256Hex,
    end: message[184] === 1,
  }
}
