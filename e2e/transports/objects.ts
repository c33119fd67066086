import { contentAddress } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import type { Attempt, Upload } from '../../sw/ports/transport.ts'
import { noise } from '../backend/bytes.ts'

/** An object as a transport is given it: other bytes for each label. */
export async function objectOf(label: string, sizeBytes: number) {
  const bytes = noise(label, sizeBytes)
  const upload: Upload = { cid: await contentAddress(bytes), sha256: await sha256Hex(bytes), sizeBytes }
  return { bytes, upload }
}

let count = 0

/** An object that no store has seen, and an attempt at it that remembers its resume token. */
export async function freshObject(sizeBytes: number) {
  const object = await objectOf(`fresh ${(count += 1)}`, sizeBytes)
  let resumeToken = ''
  const attempt: Attempt = {
    signal: new AbortController().signal,
    get resumeToken() {
      return resumeToken
    },
    saveResumeToken: async (told) => {
      resumeToken = told
    },
    progress: () => {},
  }
  return { ...object, attempt, resumeToken: () => resumeToken }
}
