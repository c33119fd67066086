import { toHex } from '../../src/evidence/bytes.ts'
import { serialiseNote } from '../../src/evidence/entry.ts'
import { pageCid } from '../../src/evidence/page.ts'
import { chunkIdOf, type ChunkId, type SessionId } from '../../src/protocol/ids.ts'
import type { HandedChunk, HandedNote } from '../../src/protocol/messages.ts'
import { stepsDueMs, workRemains } from '../../sw/core/plan.ts'
import type { ChunkRecord, Effort, SessionRecord } from '../../sw/core/record.ts'
import { isSettled, isToTell, rawChunks } from '../../sw/core/session.ts'
import { POLICY } from '../../sw/engine/policy.ts'
import type { AnchorRequest } from '../../sw/ports/anchor.ts'
import type { Upload } from '../../sw/ports/transport.ts'
import { chunksOf, type Commit, type DiskState } from '../../sw/testing/fake-disk.ts'
import type { AppBackend } from './app-backend.ts'
import { createBooksOracle } from './books-oracle.ts'
import type { Chain } from './chain.ts'
import { createEvidenceOracle } from './evidence-oracle.ts'
import type { Scene } from './simulated-scene.ts'
import type { StoreServer } from './store-server.ts'

/** Knows what was promised, and looks at every commit and every acknowledgement. */
export interface Oracle {
  /** A person has said the word: this session's bytes may go. */
  discarding(id: SessionId): void
  onCommit(commit: Commit): void
  /** What was not durable is gone, and this is left. */
  onPowerLost(disk: DiskState): void
  onAcknowledged(handed: HandedChunk, disk: DiskState): void
  onNoted(id: SessionId, note: HandedNote, disk: DiskState): void
  /** An object leaves its worker, which has not asked the store for it. */
  onSending(upload: Upload, disk: DiskState): void
  /** The app is about to be told of this session. */
  onTelling(key: string, disk: DiskState): void
  /** The device signs these bytes. */
  onSigned(message: Uint8Array, disk: DiskState): void
  onSubmitting(request: AnchorRequest, disk: DiskState): void
  /** A relay is about to pay for it. */
  onPaid(request: AnchorRequest): void
  /** These bytes are not what was stored any more. */
  rotten(chunk: ChunkRecord): void
  /** What has not come to its end, and does not wait for a person. */
  unsettled(disk: DiskState): SessionRecord[]
  /** Nothing goes by itself any more: what is not confirmed waits for a person, and says so. */
  atRest(disk: DiskState): void
  /** By now everything is settled, and the chain holds it. */
  onAnchorsJudged(disk: DiskState): void
  /** A person has let everything go on, and it has come to rest. */
  atTheEnd(disk: DiskState): void
}

const isPaused = (disk: DiskState) => disk.meta.get(POLICY) === 'paused'

/** Whether the engine has something to try again by itself: while nothing may leave, that is what is to be sealed. */
export const remains = (disk: DiskState) =>
  [...disk.sessions.values()].some(isPaused(disk) ? isToSeal : workRemains)

const isToSeal = (session: SessionRecord) =>
  (!session.paused && rawChunks(session) > session.parkedRaw) ||
  (stepsDueMs(session, 'nothing').refusal ?? Infinity) < Infinity

/** @param chain is asked, as are the servers, only once everything has begun */
export function createOracle(
  scene: Scene,
  chain: () => Chain,
  server: () => StoreServer,
  app: () => AppBackend,
): Oracle {
  const { fail } = scene
  const acknowledged = new Map<ChunkId, string>()
  const discarded = new Set<SessionId>()
  /** Entries of notes that were acknowledged, in hex, and whose they are. */
  const noted = new Map<string, SessionId>()
  /** When a session was deleted last, ms since the epoch. */
  let deletedAtMs = 0
  const rotten = new Set<ChunkId>()
  const rottenBeforeSealing = new Set<ChunkId>()
  const books = createBooksOracle(scene)
  const evidence = createEvidenceOracle(scene, chain, server)

  const check = (holds: boolean, what: string) => {
    if (!holds) fail(what)
  }

  /** The log has the note, once. */
  function checkNoted(id: SessionId, entry: string, disk: DiskState): void {
    const times = (disk.entries.get(id) ?? []).filter((each) => toHex(each) === entry).length
    const wrong = times > 1 ? `and is in its log ${times} times` : 'but is not on the disk'
    check(times === 1 || discarded.has(id), `a note of ${id} was acknowledged, ${wrong}`)
  }

  function checkChunk(chunk: ChunkRecord, before: ChunkRecord | undefined, disk: DiskState): void {
    const { id, state } = chunk
    check(!isParkedForDisk(chunk.effort), `${id} is parked for a failing disk`)
    check(
      before?.state.status !== 'encrypting' || state.status !== 'uploading' || !rottenBeforeSealing.has(id),
      `${id} was sealed from bytes that rotted`,
    )
    const holds = disk.payloads.has(id)
    check(
      holds === (state.status !== 'confirmed') || (rotten.has(id) && !holds),
      `${id} is ${state.status}, and its bytes are ${holds ? 'still' : 'no longer'} held`,
    )
    check(
      before === undefined || contentOf(before) === undefined || contentOf(before) === contentOf(chunk),
      `the content of ${id} changed`,
    )
  }

  /** What belongs to the place where workers go now does not wait for it. */
  const waitsByChoice = ({ paused, identity }: SessionRecord, disk: DiskState) =>
    isPaused(disk) || (paused === 'elsewhere' ? identity !== scene.place : !!paused)

  /** Time cannot mend it: bytes are not ours any more, or somebody else has written to the chain. It must say so. */
  function isHopeless(session: SessionRecord, disk: DiskState): boolean {
    // What passes by itself is no end.
    if (session.trouble === undefined || session.trouble.retryAtMs !== undefined) return false
    if (scene.history.anchored && chain().isForked(session.id)) return true
    const left = chunksOf(disk, session.id).filter(({ state }) => state.status !== 'confirmed')
    return (
      left.length > 0 && left.every(({ id, effort }) => rotten.has(id) && effort?.lastError !== undefined)
    )
  }

  const unsettled = (disk: DiskState) =>
    [...disk.sessions.values()].filter(
      (session) =>
        (!isSettled(session) || isToTell(session)) &&
        !waitsByChoice(session, disk) &&
        !isHopeless(session, disk),
    )

  return {
    discarding: (id) => void discarded.add(id),
    rotten({ id, state }) {
      rotten.add(id)
      // Bytes that are being sealed may have been read before.
      if (state.status === 'captured') rottenBeforeSealing.add(id)
    },
    unsettled,

    onSigned: evidence.onSigned,
    onSubmitting: evidence.onSubmitting,
    onPaid: evidence.onPaid,
    onPowerLost: books.onPowerLost,

    onCommit(commit) {
      const { before, after, chunks, sessions } = commit
      evidence.onCommit(commit)
      books.onCommit(commit)
      for (const id of sessions) {
        const session = after.sessions.get(id)
        const was = before.sessions.get(id)
        check(
          was?.ending !== 'complete' || session === undefined || session.ending === 'complete',
          `${id} was whole, and is ${session?.ending}`,
        )
        if (session !== undefined) {
          const { listing, paging, witnessing, completion } = session
          for (const effort of [listing, paging, witnessing, completion])
            check(!isParkedForDisk(effort), `a step of ${id} is parked for a failing disk`)
          if (isSettled(session) && !(was && isSettled(was))) evidence.onSettled(session, after)
        } else if (was !== undefined) {
          check(isSettled(was) || discarded.has(id), `${id} was deleted, and is not on the chain`)
          discarded.add(id)
          deletedAtMs = scene.clock.now()
        }
      }
      for (const id of chunks) {
        const chunk = after.chunks.get(id)
        const was = before.chunks.get(id)
        if (chunk === undefined)
          check(was === undefined || sessions.has(was.sessionId), `${id} was deleted alone`)
        else checkChunk(chunk, was, after)
        if (chunk?.state.status === 'confirmed' && was?.state.status !== 'confirmed')
          evidence.onConfirmed(chunk, after)
        if (chunk !== undefined)
          scene.trace(() => `disk: ${id} is ${was?.state.status ?? 'new'} → ${describe(chunk)}`)
      }
      for (const id of sessions) scene.trace(() => `disk: ${id} ${describeSession(after.sessions.get(id))}`)
    },

    onAcknowledged(handed, disk) {
      const id = chunkIdOf(handed.sessionId, handed.index)
      const content = handed.seal?.encryptedHash ?? handed.plaintextHash
      const known = acknowledged.get(id)
      check(known === undefined || known === content, `two contents were acknowledged as ${id}`)
      acknowledged.set(id, content)
      const chunk = disk.chunks.get(id)
      if (chunk === undefined)
        return check(discarded.has(handed.sessionId), `${id} was acknowledged, but is not on the disk`)
      const bytes = disk.payloads.get(id)
      check(
        chunk.state.status === 'confirmed' || bytes !== undefined || rotten.has(id),
        `${id} was acknowledged, but its bytes are not on the disk`,
      )
    },

    onNoted(id, note, disk) {
      const entry = toHex(serialiseNote(note))
      noted.set(entry, id)
      checkNoted(id, entry, disk)
    },

    onTelling(key, disk) {
      const [name, size] = key.split('/')
      const session = [...disk.sessions.values()].find((one) => one.name === name)
      check(
        session === undefined || (isSettled(session) && session.size === Number(size)) || scene.thefts > 0,
        `${key} was told, and is not settled`,
      )
    },

    onSending({ cid, head }, disk) {
      const isChunk = [...disk.chunks.values()].some(
        ({ state, effort }) => state.status === 'uploading' && effort?.sent && state.seal.cid === cid,
      )
      const isPage = [...disk.sessions.values()].some(
        ({ listing }) => listing !== undefined && pageCid(listing.page) === cid,
      )
      const isHead = [...disk.sessions.values()].some(
        ({ name, witnessing }) => name === head?.session && witnessing.submitted === head.size,
      )
      // What was in flight until a moment ago, or begun in the commit that deleted it, is on its way: nobody calls it back.
      const isDeletedNow = deletedAtMs === scene.clock.now()
      check(isChunk || isPage || isHead || isDeletedNow, `${cid} was sent, though it is not in flight`)
    },

    atRest(disk) {
      for (const session of disk.sessions.values())
        check(
          isSettled(session) || session.trouble !== undefined || waitsByChoice(session, disk),
          `${session.id} does not go on by itself, and does not say why`,
        )
    },

    onAnchorsJudged(disk) {
      for (const { id, open, anchored } of disk.sessions.values()) {
        check(open === undefined && anchored !== undefined, `${id} is not settled by now`)
        const isThere = chain().deep(id).at(0)?.root === anchored?.root
        check(isThere, `the chain has taken ${id} back, and nobody has looked`)
      }
    },

    atTheEnd(disk) {
      for (const session of disk.sessions.values()) {
        const { id, ending, anchored, size, logEnd, tally, trouble } = session
        check(
          !isSettled(session) || tally.confirmed === 0 || (anchored?.size === size && logEnd === ending),
          `${id} is settled, but not anchored as it ended`,
        )
        if (isSettled(session)) {
          const isHeard = app().heard.has(`${session.name}/${size}`)
          check(
            isHeard || session.completion === undefined,
            `${id} is settled, and the app never heard of it`,
          )
          check(trouble === undefined, `${id} is settled, and still tells ${trouble?.error.code}`)
          continue
        }
        check(isHopeless(session, disk), `${id} is not settled: ${JSON.stringify(session)}`)
        const hasRotten = chunksOf(disk, id).some((chunk) => rotten.has(chunk.id))
        check(
          hasRotten || trouble?.error.code === 'forked',
          `${id} is forked, and tells ${trouble?.error.code}`,
        )
      }
      for (const [entry, id] of noted) checkNoted(id, entry, disk)
      for (const [id, content] of acknowledged) {
        const [sessionId = ''] = id.split('/')
        if (discarded.has(sessionId as SessionId)) continue
        const chunk = disk.chunks.get(id)
        if (chunk === undefined) return fail(`${id} was acknowledged, and is gone`)
        const session = disk.sessions.get(chunk.sessionId)
        if (chunk.state.status !== 'confirmed' && session && isHopeless(session, disk)) continue
        check(
          chunk.state.status === 'confirmed',
          `${id} was acknowledged, and is ${chunk.state.status} at the end`,
        )
        check(contentOf(chunk) === content || chunk.plaintextHash === content, `${id} holds another content`)
        const cid = cidOf(chunk)
        check(server().hadIt(cid), `${id} is confirmed, but not at the store`)
      }
    },
  }
}

const contentOf = ({ state }: ChunkRecord) => state.seal?.encryptedHash
const cidOf = ({ state }: ChunkRecord) => state.seal?.cid ?? ''

function describe({ state, effort }: ChunkRecord): string {
  const wait = effort ? ` (${effort.notBeforeMs}${effort.sent ? ', sent' : ''})` : ''
  return `${state.status}${wait}${effort?.lastError ? `, ${effort.lastError.code}` : ''}`
}

function describeSession(session: SessionRecord | undefined): string {
  if (session === undefined) return 'is gone'
  const { ending, size, listed, listing, witnessing, anchored, paused, open } = session
  const page = listing ? `, a page to ${listing.tree.size}, ${listing.notBeforeMs}` : ''
  const log = `${size} entries, ${listed.tree.size} listed${page}, ${witnessing.submitted} handed over, ${anchored?.size ?? 0} anchored`
  return `is ${open === undefined ? 'settled' : 'open'}, ${ending}${paused ? ', paused' : ''}, ${log}`
}

/** What a failing disk has failed waits: it passes. */
const isParkedForDisk = (effort: Effort | undefined) =>
  effort?.notBeforeMs === Infinity && effort.lastError?.code.startsWith('storage-') === true
