import { randomUUID } from 'node:crypto'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { expect, test } from '../fixtures.ts'
import { post, postChunk, startSession } from '../in-page/messages.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { LANDING } from '../test-size.ts'

const MIB = 1024 * 1024

// Promise 1 of docs/guarantees.md.
test(
  'what a page may not do is refused by name; nothing is stored, nothing is lost',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { page } = await openDemo(context, { url: stack.url })
    // The store does not answer, so that what is held stays as it came.
    stack.backend.faults.add({ service: 'ipfs', kind: 'stall' })
    const sessionId = randomUUID()
    expect(await startSession(page, sessionId)).toMatchObject({ ok: true })
    const good = { sessionId, index: 0, sizeBytes: 1_000, fill: 1 }
    expect(await postChunk(page, good)).toMatchObject({ ok: true })
    const before = await storedChunks(page)
    expect(before).toHaveLength(1)

    const refused = (code: string) => ({ ok: false, error: { code } })
    const next = { ...good, index: 1 }
    expect(await postChunk(page, { ...next, sessionId: randomUUID() })).toMatchObject(
      refused('unknown-session'),
    )
    expect(await postChunk(page, { ...good, fill: 2 })).toMatchObject(refused('index-taken'))
    const wrongHash = { encryptedHash: '00'.repeat(32) }
    expect(await postChunk(page, { ...next, tamperSeal: wrongHash })).toMatchObject(refused('hash-mismatch'))
    expect(await postChunk(page, { ...next, sizeBytes: 65 * MIB })).toMatchObject(refused('chunk-too-large'))
    for (const tamper of [
      { tamper: { index: -1 } },
      { tamper: { index: '1' } },
      { tamper: { payload: 'text' } },
      { tamper: { seal: 'other' } },
      { tamper: { seal: undefined } },
      { tamperSeal: { iv: 'short' } },
      { tamperSeal: { chunkKey: 'AB'.repeat(80) } },
    ])
      expect(await postChunk(page, { ...next, ...tamper })).toMatchObject(refused('bad-message'))
    for (const message of [
      { type: 'chunk' },
      { type: 'no-such-type' },
      { type: 'session-start', session: [] },
    ])
      expect(await post(page, { holdfast: PROTOCOL_VERSION, ...message })).toMatchObject(
        refused('bad-message'),
      )
    expect(await post(page, { holdfast: 99, type: 'hello' })).toMatchObject(refused('protocol-mismatch'))
    expect(await post(page, { holdfast: PROTOCOL_VERSION, type: 'discard', sessionId })).toMatchObject(
      refused('not-confirmed'),
    )

    expect(await storedChunks(page)).toEqual(before)
    // The same chunk again is the same acknowledgement, and the session goes on.
    expect(await postChunk(page, good)).toMatchObject({ ok: true })
    expect(await postChunk(page, next)).toMatchObject({ ok: true })
    expect((await storedChunks(page)).map(({ index }) => index)).toEqual([0, 1])

    expect(await post(page, { holdfast: PROTOCOL_VERSION, type: 'session-end', sessionId })).toMatchObject({
      ok: true,
    })
    expect(await postChunk(page, { ...good, index: 2 })).toMatchObject(refused('session-ended'))
    const confirm = 'discard-unconfirmed'
    expect(
      await post(page, { holdfast: PROTOCOL_VERSION, type: 'discard', sessionId, confirm }),
    ).toMatchObject({ ok: true })
    expect(await storedChunks(page)).toEqual([])
  },
)
