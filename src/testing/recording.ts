import type { EndOptions, RecordingSession } from '../api.ts'
import { checkNote } from '../app-data-check.ts'
import { bad } from '../bad-input.ts'
import { callListener } from '../call-listener.ts'
import type { Note } from '../evidence/note-seal.ts'
import { APPEND, END, NOTE, optionsOf } from '../options.ts'
import { HoldfastError } from '../protocol/errors.ts'
import { chunkIdOf } from '../protocol/ids.ts'
import { MAX_CHUNK_BYTES, MAX_DURATION_MS, MAX_NOTES, MAX_TIME_MS, TAG_BYTES } from '../protocol/messages.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'
import { passes } from '../request-with-retry.ts'
import { whole, type Cut } from '../session.ts'
import type { Memory } from './memory.ts'

/** What a page records into, over a memory. The parameters are those of `goOn` of a client. */
export function recordingIn(
  memory: Memory,
  { id, name }: Pick<SessionSnapshot, 'id' | 'name'>,
  release: () => unknown,
  restart: () => Promise<RecordingSession>,
  cut: Cut = { indexes: 0 },
): RecordingSession {
  const { now } = memory
  memory.sessionOf(id).release = release
  let waiting = 0
  let noteCount = 0
  let ended = false
  let knownEnd: EndOptions['how']
  const begun = new Set<Promise<unknown>>()

  const mayAdd = () => {
    if (ended || memory.sessionOf(id).snapshot.ending === 'complete')
      throw new HoldfastError('session-ended', 'The session has ended.')
  }

  /** Once it is not refused any more. */
  function taking<T>(
    takes: () => T,
    onRefused: (refused: HoldfastError) => void,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const taken = (async () => {
      waiting++
      try {
        for (let { refusal } = memory; refusal; { refusal } = memory) {
          if (!passes(refusal.code)) throw refusal
          onRefused(refusal)
          await changeOf(memory.changed, signal)
        }
        return takes()
      } finally {
        waiting--
      }
    })()
    begun.add(taken)
    return taken
  }

  return {
    id,
    name,
    get waiting() {
      return waiting
    },
    get stalledBy() {
      return waiting > 0 ? memory.refusal : undefined
    },
    async append(bytes, options) {
      const { capturedAtMs = now(), durationMs = 0, onStalled, signal } = optionsOf(options, APPEND)
      signal?.throwIfAborted()
      // That of jsdom cannot be read, and nothing here has to read it.
      if (typeof bytes?.slice !== 'function' || !(bytes.size >= 0)) throw bad('append', 'a Blob.')
      if (bytes.size > MAX_CHUNK_BYTES - TAG_BYTES)
        throw new HoldfastError('chunk-too-large', `A chunk of ${bytes.size} bytes is over the limit.`)
      mayAdd()
      const index = cut.indexes++
      return taking(
        () => {
          memory.take(id, index, bytes, {
            capturedAtMs: whole(capturedAtMs, MAX_TIME_MS),
            durationMs: whole(durationMs, MAX_DURATION_MS),
          })
          return { id: chunkIdOf(id, index), index }
        },
        (refused) => callListener(onStalled, refused),
        signal,
      )
    },
    async note(value, options) {
      const { atMs = now(), signal } = optionsOf(options, NOTE)
      signal?.throwIfAborted()
      mayAdd()
      checkNote('note', value)
      const kept = JSON.parse(JSON.stringify(value)) as Note
      if (noteCount++ >= MAX_NOTES) throw bad('note', `a session has at most ${MAX_NOTES}.`)
      await taking(
        () => memory.takeNote(id, whole(atMs, MAX_TIME_MS), kept),
        () => undefined,
        signal,
      )
    },
    async end(options) {
      const { how, signal } = optionsOf(options, END)
      return unlessAborted(signal, async () => {
        ended = true
        knownEnd ??= how
        await Promise.allSettled(begun)
        const missing = cut.indexes - memory.sessionOf(id).chunks.length
        return memory.end(id, missing === 0 ? (knownEnd ?? 'complete') : 'interrupted', missing)
      })
    },
    restart,
  }
}

/** @throws the signal's reason */
function changeOf(changed: EventTarget, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    changed.addEventListener('change', () => resolve(), { once: true })
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
