import type { Page } from '@playwright/test'
import { PROTOCOL_VERSION, type Request } from '../../src/protocol/messages.ts'

/** A chunk that is sealed for real, in the page, without the library. */
export interface ChunkDraft {
  readonly sessionId: string
  readonly index: number
  /** The ciphertext is this many bytes, each of this value. */
  readonly sizeBytes: number
  readonly fill: number
  /** Fields that replace the honest ones. */
  readonly tamper?: Readonly<Record<string, unknown>>
  /** The same of its seal. */
  readonly tamperSeal?: Readonly<Record<string, unknown>>
}

export interface Answer {
  readonly ok: boolean
  readonly error?: { readonly code: string; readonly message: string }
}

/** Posts a message to the active worker, as any script of the origin could, and returns its answer. */
export async function post(page: Page, message: unknown): Promise<Answer> {
  return page.evaluate(async (data) => {
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    return new Promise<Answer>((resolve) => {
      port1.addEventListener('message', (event: MessageEvent<Answer>) => resolve(event.data))
      port1.start()
      active?.postMessage(data, [port2])
    })
  }, message)
}

/** A message of ours, as honest as its fields. */
export const ask = (page: Page, request: { readonly type: Request['type'] } & Record<string, unknown>) =>
  post(page, { holdfast: PROTOCOL_VERSION, ...request })

/** Hands over a chunk; its digest is computed in the page. */
export async function postChunk(page: Page, draft: ChunkDraft): Promise<Answer> {
  const [answer] = await postChunks(page, [draft])
  if (!answer) throw new Error('unreachable')
  return answer
}

/** The same for many, some at a time. */
export async function postChunks(page: Page, drafts: readonly ChunkDraft[]): Promise<readonly Answer[]> {
  return page.evaluate(
    async ({ holdfast, all }) => {
      const { active } = await navigator.serviceWorker.ready
      const hand = async ({ sessionId, index, sizeBytes, fill, tamper, tamperSeal }: ChunkDraft) => {
        const bytes = new Uint8Array(sizeBytes).fill(fill)
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
        const hash = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
        const chunk = {
          sessionId,
          index,
          plaintextHash: hash,
          capturedAtMs: 1_770_000_000_000 + 500 * index,
          durationMs: 500,
          payload: new Blob([bytes]),
          seal: {
            encryptedHash: hash,
            iv: '00'.repeat(12),
            chunkKey: '00'.repeat(80),
            ...tamperSeal,
          },
          ...tamper,
        }
        const { port1, port2 } = new MessageChannel()
        return new Promise<Answer>((resolve) => {
          port1.addEventListener('message', (event: MessageEvent<Answer>) => resolve(event.data))
          port1.start()
          active?.postMessage({ holdfast, type: 'chunk', chunk }, [port2])
        })
      }
      const answers: Answer[] = []
      for (let at = 0; at < all.length; at += 20)
        answers.push(...(await Promise.all(all.slice(at, at + 20).map(hand))))
      return answers
    },
    { all: drafts, holdfast: PROTOCOL_VERSION },
  )
}

/** Starts a session under this id whose recording lock this page holds until it closes; nobody can read it. */
export async function startSession(page: Page, sessionId: string): Promise<Answer> {
  return page.evaluate(
    async ({ holdfast, id }) => {
      await new Promise<void>((held) => {
        void navigator.locks.request(`holdfast-recording:${id}:${location.origin}/`, () => {
          held()
          return new Promise(() => undefined)
        })
      })
      const { subtle } = crypto
      const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
      const point = [...new Uint8Array(await subtle.exportKey('raw', pair.publicKey))].slice(1)
      const session = {
        sessionId: id,
        publicKey: point.map((byte) => byte.toString(16).padStart(2, '0')).join(''),
        signingKey: await subtle.exportKey('pkcs8', pair.privateKey),
        // The base point: a public key like any other.
        sealingKey: `09${'00'.repeat(31)}`,
        mimeType: 'video/webm',
        startedAtMs: 1_770_000_000_000,
        access: [{ id: `0x${'ab'.repeat(32)}`, tag: 'ab'.repeat(32), sealedKey: 'ab'.repeat(80) }],
        seal: 'page',
      }
      const { active } = await navigator.serviceWorker.ready
      const { port1, port2 } = new MessageChannel()
      return new Promise<Answer>((resolve) => {
        port1.addEventListener('message', (event: MessageEvent<Answer>) => resolve(event.data))
        port1.start()
        active?.postMessage({ holdfast, type: 'session-start', session }, [port2])
      })
    },
    { holdfast: PROTOCOL_VERSION, id: sessionId },
  )
}
