import { expect, test } from './store-page.ts'

// Promise 1 of docs/guarantees.md.
test('what format 1 left on a device is read, chunk by chunk, with the secret of its group', async ({
  page,
}) => {
  const read = await page.evaluate(async () => {
    const { format1Sessions, openFormat1 } = window.storePage
    const scope = 'https://app.example/'
    const none = await format1Sessions(scope)

    // As the worker of format 1 stored it: keys as docs/evidence-format.md of that time has them.
    const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
    const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
    const { subtle } = crypto
    const [secret, rawKey, keyIv] = [random(32), random(32), random(12)]
    const group = await subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt'])
    const wrapped = new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: keyIv }, group, rawKey))
    const sessionKey = await subtle.importKey('raw', rawKey, 'HKDF', false, ['deriveKey'])
    const sealed = async (index: number, iv: Uint8Array<ArrayBuffer>) => {
      const salt = new TextEncoder().encode('witness-chunk')
      const derivation = { name: 'HKDF', hash: 'SHA-256', salt, info: Uint8Array.of(0, 0, 0, index) }
      const key = await subtle.deriveKey(derivation, sessionKey, { name: 'AES-GCM', length: 256 }, false, [
        'encrypt',
      ])
      return subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(`chunk ${index}`))
    }
    const [iv0, iv2] = [random(12), random(12)]
    const [payload0, payload2] = [await sealed(0, iv0), await sealed(2, iv2)]
    const db = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open(`holdfast:${scope}`, 1)
      opening.addEventListener('upgradeneeded', () => {
        for (const store of ['sessions', 'chunks']) opening.result.createObjectStore(store, { keyPath: 'id' })
        opening.result.createObjectStore('payloads')
      })
      opening.addEventListener('success', () => resolve(opening.result))
    })
    const tx = db.transaction(['sessions', 'chunks', 'payloads'], 'readwrite')
    tx.objectStore('sessions').put({
      id: 'one',
      mimeType: 'video/webm',
      startedAtMs: 5,
      access: [
        { wrappedKey: base64(random(48)), iv: base64(random(12)) },
        { wrappedKey: base64(wrapped), iv: base64(keyIv) },
      ],
    })
    const chunk = (index: number, state: object) =>
      tx.objectStore('chunks').put({ id: `one/${index}`, sessionId: 'one', index, state })
    chunk(2, { status: 'uploading', seal: { iv: base64(iv2) } })
    chunk(0, { status: 'anchoring', seal: { iv: base64(iv0) } })
    chunk(1, { status: 'confirmed', seal: { iv: base64(random(12)) } })
    chunk(3, { status: 'captured' })
    tx.objectStore('payloads').put(payload0, 'one/0')
    tx.objectStore('payloads').put(new Blob([payload2]), 'one/2')
    tx.objectStore('payloads').put(new TextEncoder().encode('chunk 3').buffer, 'one/3')
    await new Promise((resolve) => tx.addEventListener('complete', resolve))
    db.close()

    const chunks: [number, string][] = []
    for await (const { index, plaintext } of openFormat1(scope, 'one', secret))
      chunks.push([index, new TextDecoder().decode(plaintext)])
    const codeOf = async (id: string, key: Uint8Array<ArrayBuffer>) =>
      openFormat1(scope, id, key)
        .next()
        .then(
          () => 'read',
          (error: { code?: string }) => error.code,
        )
    return {
      none,
      sessions: await format1Sessions(scope),
      chunks,
      otherSecret: await codeOf('one', random(32)),
      otherSession: await codeOf('two', secret),
    }
  })
  expect(read).toEqual({
    none: [],
    sessions: [{ id: 'one', mimeType: 'video/webm', startedAtMs: 5, localChunks: 3 }],
    chunks: [
      [0, 'chunk 0'],
      [2, 'chunk 2'],
      [3, 'chunk 3'],
    ],
    otherSecret: 'bad-input',
    otherSession: 'unknown-session',
  })
})
