import { HoldfastError } from '../../src/protocol/errors.ts'
import type { UnderWay } from '../../sw/core/effort.ts'
import { deliver } from '../../sw/engine/deliver.ts'
import type { Floors, Transport, Upload } from '../../sw/ports/transport.ts'

/** What is kept of an object from one attempt to the next, and what a test asks about. */
interface Kept {
  sent: boolean
  resumeToken: string | undefined
  stored: boolean
  /** How often its bytes were read. */
  read: number
  /** All resume tokens, oldest first. */
  readonly resumeTokens: string[]
}

/** An object through several attempts, each of which finds what the last one left, as the engine keeps its record. */
export function keptAttempts(upload: Upload, bytes: Uint8Array<ArrayBuffer>) {
  const record: Kept = { sent: false, resumeToken: undefined, stored: false, read: 0, resumeTokens: [] }
  /** @returns why it failed; undefined once the object is stored */
  const attempt = async (
    transport: Transport,
    signal = new AbortController().signal,
    floors?: Floors,
  ): Promise<HoldfastError | undefined> => {
    const { sent, resumeToken } = record
    const delivery = {
      sent,
      resumeToken,
      bytes: async () => {
        record.read += 1
        return bytes
      },
      async record(event: UnderWay) {
        if (event.type === 'send-began') return (record.sent = true)
        record.resumeToken = event.resumeToken
        record.resumeTokens.push(event.resumeToken)
        return true
      },
    }
    try {
      record.stored = !!(await deliver(transport, upload, delivery, floors, (requests) => requests(signal)))
      return undefined
    } catch (thrown) {
      return HoldfastError.from(thrown)
    }
  }
  return { upload, record, attempt }
}
