import type { Holdfast, RecordingSession } from '../api.ts'
import { ASKS, MAX_CONCURRENT_CHUNKS } from '../timeouts.ts'
import { askUpTo } from '../ask-again.ts'
import { bad } from '../bad-input.ts'
import { DISCARD, FUNCTION, optionsOf, SESSION, SIGNAL, type Known } from '../options.ts'
import { jsonOf } from '../json-of.ts'
import { asOurs, HoldfastError, isHoldfastError } from '../protocol/errors.ts'
import { following } from '../protocol/following.ts'
import { DISCARD_CONFIRMATION, MAX_CHUNK_BYTES, MAX_INDEXES, TAG_BYTES } from '../protocol/messages.ts'
import { isMimeType } from '../protocol/mime-type.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { checkGroups, type Cut, type OpenOptions } from '../session.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'
import type { FileUpload, UploadedFile, UploadOptions } from './api.ts'
import { fingerprintOf } from './fingerprint.ts'
import { progressOf } from './progress.ts'
import { findUnfinished, oneByOne, partsOf, takeUp, wish, type Parts, type Wish } from './unfinished.ts'
import { discarded, notWhole, untilSettled } from './until-settled.ts'

export type { FileProgress, FileUpload, UploadedFile, UploadOptions } from './api.ts'

const UPLOAD: Known<UploadOptions> = {
  groups: 1,
  metadata: 1,
  labels: 1,
  stores: SESSION.stores,
  atLeast: SESSION.atLeast,
  mimeType: 1,
  partBytes: 1,
  onProgress: FUNCTION,
  signal: SIGNAL,
}

const MAX_PART_BYTES = MAX_CHUNK_BYTES - TAG_BYTES
/** With its tag it is what a store takes at a piece. */
const PART_BYTES = 4 * 1024 * 1024 - TAG_BYTES

/**
 * Uploads a file as a session of its own, part by part: sealed in the page, durable in the worker, then sent from there.
 * A few parts are in memory at a time, however large the file.
 *
 * Where this page dies, what was handed over goes up all the same; the same call for the same file goes on with the
 * rest, in the same session. The signal stops it like such a death. A file that was uploaded whole is uploaded again.
 *
 * @param file read while it is handed over; what a person picked may be 2 GB and more
 */
export function upload(holdfast: Holdfast, file: Blob, options: UploadOptions): FileUpload {
  const { signal: asked, onProgress, partBytes = PART_BYTES, mimeType, ...chosen } = { ...options }
  // What is none is refused with all other options.
  const signal = asked?.throwIfAborted && asked
  const stop = following(signal)
  /** Goes on where all is to be forgotten: what an earlier page had of it, too. */
  const look = following(signal)
  const progress = progressOf(file?.size, onProgress)
  let session: Pick<SessionSnapshot, 'id' | 'name'> | undefined
  let wanted: Wish | undefined
  let followed: Promise<SessionSnapshot> | undefined
  /** While it is paused; resolves once it is not. */
  let pausing: Promise<void> | undefined
  let goOn = () => {}
  const giveUp = (error: unknown) => stop.abort(error)
  const cut: Cut = { indexes: 0 }
  // The app may use its own for the next file.
  const given = jsonOf([chosen.metadata, chosen.labels])

  const parts: Parts = {
    count: Math.max(1, Math.ceil(file?.size / partBytes)),
    part: (index) => file.slice(index * partBytes, (index + 1) * partBytes),
  }

  /** The session that the file goes into, and which parts it has; no recording where it lacks none. */
  async function begin() {
    optionsOf(options, UPLOAD)
    if (!holdfast?.sessions) throw bad('holdfast', 'what connect() gives.')
    if (!file?.slice || !(file.size >= 0)) throw bad('file', 'a Blob.')
    const isSize = Number.isInteger(partBytes) && partBytes > 0 && partBytes <= MAX_PART_BYTES
    if (!isSize || parts.count > MAX_INDEXES)
      throw bad('partBytes', `1 to ${MAX_PART_BYTES}, in at most ${MAX_INDEXES} parts.`)
    checkGroups(chosen.groups)
    const groups = [...chosen.groups]
    const fingerprint = await fingerprintOf(file, groups, given, chosen.stores, chosen.atLeast, partBytes)
    const opening: OpenOptions = {
      ...chosen,
      groups,
      mimeType: mimeType || (isMimeType(file.type) ? file.type : 'application/octet-stream'),
      fingerprint,
      given,
      cut,
      signal: stop.signal,
    }
    const start = () => holdfast.startSession(opening)
    return oneByOne(holdfast, fingerprint, async () => {
      const unfinished = await findUnfinished(holdfast, fingerprint, parts, { signal: look.signal })
      if (unfinished) {
        // First: from then on nobody discards it but by this call.
        wanted = await wish(holdfast, unfinished.session.id)
        const taken = await takeUp(holdfast, unfinished, parts, cut, start)
        if (taken) {
          session = unfinished.session
          for (const index of taken.handed) progress.handed(parts.part(index).size)
          return taken
        }
        void wanted()
      }
      const recording = await start()
      session = recording
      wanted = await wish(holdfast, recording.id)
      return { recording, handed: new Set<number>() }
    })
  }

  async function handOver(recording: RecordingSession, had: ReadonlySet<number>): Promise<void> {
    const { signal } = stop
    let next = 0
    const append = async (index: number) => {
      const bytes = parts.part(index)
      cut.indexes = index
      const tellStalled = () => progress.told({ stalledBy: recording.stalledBy })
      await recording.append(bytes, { signal, onStalled: tellStalled }).catch(async (error: unknown) => {
        // What an earlier call had on its way may come in after all.
        if (!isHoldfastError(error, 'index-taken')) throw error
        const now = await partsOf(holdfast, recording.id, parts, (part) => part === index)
        if (!now?.has(index)) throw error
      })
      progress.handed(bytes.size)
      tellStalled()
    }
    // No list of the parts is made: there may be millions.
    const appendNext = async () => {
      while (next < parts.count && !signal.aborted)
        if (pausing) await pausing
        else {
          const index = next++
          if (!had.has(index)) await append(index).catch(giveUp)
        }
    }
    await Promise.all(Array.from({ length: MAX_CONCURRENT_CHUNKS }, appendNext))
    signal.throwIfAborted()
  }

  async function hand(): Promise<void> {
    const { recording, handed } = await begun
    const { id } = session!
    const end = () => {
      cut.indexes = parts.count
      return recording?.end()
    }
    try {
      // Asked again after a silence, it is as the person wants it by then.
      if (pausing) await askUpTo(ASKS, () => holdfast[pausing ? 'pause' : 'resume'](id))
      followed = untilSettled(holdfast, id, stop.signal, tellSeen)
      followed.catch(giveUp)
      if (recording) await handOver(recording, handed)
    } catch (error) {
      // Of a part of the file it is interrupted, and may be gone on with.
      await end()?.catch(() => undefined)
      throw error
    }
    if ((await end())?.ending === 'interrupted') throw notWhole()
  }

  const tellSeen = (seen: SessionSnapshot, settled: boolean) =>
    progress.told({
      storedBytes: Math.min(file.size, seen.progress.storedBytes),
      settled,
      paused: !!pausing || seen.paused,
      lastError: seen.lastError,
    })

  async function finish(): Promise<UploadedFile> {
    await handing
    const { id, name, anchor } = await followed!
    const chunks = await askUpTo(ASKS, () => holdfast.chunks(id))
    // An app may discard what is confirmed before this has asked.
    if (chunks.length < parts.count) throw discarded()
    return {
      id,
      name,
      anchor,
      parts: chunks.map(({ cid, plaintextHash }) => ({ cid: cid!, plaintextHash: plaintextHash! })),
    }
  }

  const begun = begin()
    .catch(asOurs(stop.signal))
    .finally(() => look.abort())
  const handing = hand()
  const handedOver = unlessAborted(stop.signal, () => handing)
  const done = unlessAborted(stop.signal, finish).finally(() => {
    stop.abort()
    goOn()
    progress.end()
    void begun.catch(() => undefined).then(() => wanted?.())
  })
  // Whoever waits for one of them alone is told there.
  for (const each of [begun, handing, handedOver, done]) each.catch(() => undefined)

  async function setPaused(paused: boolean): Promise<void> {
    // It is over: there is nothing to pause.
    if (stop.signal.aborted) return
    const isNews = paused === !pausing
    if (!paused) goOn()
    else
      pausing ??= new Promise((resolve) => {
        goOn = () => {
          pausing = undefined
          resolve()
        }
      })
    // The app may pause whenever it is told.
    if (isNews) progress.told({ paused })
    if (session) await holdfast[paused ? 'pause' : 'resume'](session.id)
  }

  return {
    get sessionId() {
      return session?.id
    },
    progress,
    handedOver,
    done,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    async cancel(options) {
      const { confirm, signal } = optionsOf(options, DISCARD)
      const isSure = confirm === DISCARD_CONFIRMATION
      const discard = async () => session && holdfast.discard(session.id, options)
      if (session && !isSure) return discard()
      await unlessAborted(signal, async () => {
        const reason = new HoldfastError('aborted', 'Cancelled.')
        stop.abort(reason)
        if (!isSure) look.abort(reason)
        await begun.catch(() => undefined)
        if (isSure) await wanted?.(discard)
      }).catch(asOurs(signal))
    },
  }
}
