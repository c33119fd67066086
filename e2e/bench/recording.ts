import type { Connection } from '../../src/connection.ts'
import { sealChunk } from '../../src/evidence/chunk-seal.ts'
import { newSessionKeys } from '../../src/evidence/session-keys.ts'
import { newGroup } from '../../src/group.ts'
import type { SessionId, SessionName } from '../../src/protocol/ids.ts'
import { DISCARD_CONFIRMATION, recordingLockName, type SealedChunk } from '../../src/protocol/messages.ts'
import { nameFor } from '../../src/protocol/names.ts'

/** A session whose chunks the bench seals. */
export interface Recording {
  readonly id: SessionId
  readonly name: SessionName
  readonly sealingKey: string
  /** Index of the next chunk. */
  next: number
  /** Ends it, complete. */
  end(): Promise<void>
  /** Has it forgotten. */
  done(): Promise<void>
}

/** As the page's own sessions begin, but that the chunks are sealed by the bench. */
export async function begin(connection: Connection): Promise<Recording> {
  const id = crypto.randomUUID() as SessionId
  const { name, ...keys } = await newSessionKeys(id, [await newGroup()])
  let release = () => {}
  await new Promise<void>((held) => {
    void navigator.locks.request(
      nameFor(recordingLockName(id), connection.scope),
      () => new Promise<void>((go) => held((release = go) as never)),
    )
  })
  const session = {
    sessionId: id,
    ...keys,
    mimeType: 'video/webm',
    startedAtMs: Date.now(),
    seal: 'page',
  } as const
  await connection.request({ type: 'session-start', session })
  return {
    id,
    name,
    sealingKey: keys.sealingKey,
    next: 0,
    async end() {
      await connection.request({ type: 'session-end', sessionId: id })
      release()
    },
    async done() {
      await connection.request({ type: 'discard', sessionId: id, confirm: DISCARD_CONFIRMATION })
      release()
    },
  }
}

/** The next chunks of it, of random bytes. */
export async function sealMany(
  recording: Recording,
  chunks: number,
  sizeBytes: number,
): Promise<SealedChunk[]> {
  const sealed: SealedChunk[] = []
  while (sealed.length < chunks) {
    const index = recording.next++
    const { sealingKey, name } = recording
    const plaintext = noise(sizeBytes)
    const { ciphertext, plaintextHash, ...seal } = await sealChunk({ sealingKey, name, index, plaintext })
    sealed.push({
      sessionId: recording.id,
      index,
      capturedAtMs: Date.now(),
      durationMs: 0,
      plaintextHash,
      payload: new Blob([ciphertext]),
      seal,
    })
  }
  return sealed
}

/** The work for each item, of which eight are under way. */
export async function eightAtATime<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items]
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

/** Random bytes. */
export function noise(sizeBytes: number): ArrayBuffer {
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes.buffer
}
