import type { Random } from '../soak/seeded-random.ts'
import { PROTOCOL_VERSION as holdfast, type RequestType } from '../../src/protocol/messages.ts'

export type Fields = Record<string, unknown>

export interface HostileOptions {
  readonly random: Random
  /** Sessions on the device, which a hostile page has learned of. */
  readonly victims: readonly string[]
}

/** Types of which some are granted: those change nothing, as to discard what is not there. */
export const GRANTED: readonly RequestType[] = [
  'adopt',
  'bytes',
  'chunks',
  'discard',
  'hello',
  'log',
  'policy',
  'sessions',
]

const HEX = 'ab'.repeat(32)

/**
 * Makes messages that no page of ours sends: of each type malformed ones, and well-formed ones that are about another's
 * session. None may change a record of the device.
 */
export async function hostileMessages({ random, victims }: HostileOptions): Promise<() => unknown> {
  const { next, pick, chance } = random
  const below = (end: number) => random.between(0, end)
  const victim = () => pick(victims)
  const foreign = () => `${HEX.slice(0, 8)}-0000-4000-8000-${String(below(1e12)).padStart(12, '0')}`
  const payload = new Blob([new Uint8Array(1_000)])
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
  const keys = { publicKey: HEX + HEX, signingKey: await crypto.subtle.exportKey('pkcs8', pair.privateKey) }

  const cyclic: Fields = { holdfast, type: 'chunk' }
  cyclic['chunk'] = cyclic
  const deep = () => {
    let value: unknown = 'bottom'
    for (let depth = 0; depth < 200; depth++) value = { chunk: value, session: [value] }
    return value
  }
  const junk = (): unknown =>
    pick<() => unknown>([
      () => undefined,
      () => null,
      next,
      () => -below(1e9),
      () => Number.NaN,
      () => 2 ** 53,
      () => 10n ** 30n,
      () => '',
      () => 'x'.repeat(below(20_000)),
      () => '\u0000\uD800../../',
      () => [],
      () => Array.from({ length: below(2_000) }, next),
      () => new Date(below(1e12)),
      () => new Map([['holdfast', 1]]),
      () => new Uint8Array(below(5_000)),
      () => new Error('hostile'),
      () => payload,
      () => cyclic,
      deep,
      () =>
        JSON.parse(
          `{"__proto__":{"holdfast":${holdfast},"type":"discard"},"constructor":{"prototype":{"ok":true}}}`,
        ),
      () => ({ toString: null, valueOf: null, hasOwnProperty: 1 }),
    ])()

  /** For a field that may be absent. */
  const wrong = () => junk() ?? null

  const seal = (): Fields => ({
    encryptedHash: HEX,
    iv: 'ab'.repeat(12),
    chunkKey: 'ab'.repeat(80),
  })
  const chunk = (): Fields => ({
    sessionId: victim(),
    index: below(4),
    plaintextHash: HEX,
    seal: seal(),
    capturedAtMs: 1_770_000_000_000,
    durationMs: 500,
    payload,
  })
  const member = (): Fields => ({ id: `0x${HEX}`, tag: HEX, sealedKey: 'ab'.repeat(80) })
  const session = (): Fields => ({
    sessionId: victim(),
    mimeType: 'video/webm',
    startedAtMs: 1,
    ...keys,
    sealingKey: HEX,
    access: [member()],
    seal: 'page',
    stores: ['ipfs'],
    atLeast: 1,
    continues: HEX,
    metadata: HEX,
    labels: { file: 'name' },
    fingerprint: HEX,
  })
  /** Its number is beyond what a session has, so that none gets in where nothing of it is corrupted. */
  const noteTo = (sessionId: unknown): Fields => ({ sessionId, index: 1_000, atMs: 1, sealed: HEX })
  const corrupted = (fields: Fields): Fields => {
    const names = Object.keys(fields)
    for (let times = 1 + below(3); times > 0; times--) {
      const name = pick(names)
      if (chance(0.3)) delete fields[name]
      else fields[name] = junk()
    }
    return fields
  }

  const confirm = 'discard-unconfirmed'
  /** Whatever else such a message has. */
  const ofNobody = (fields: Fields = {}) => [
    () => ({ ...fields, sessionId: foreign() }),
    () => ({ ...fields, sessionId: junk() }),
  ]
  const ofVictim = (fields: () => Fields) => () => ({ ...fields(), sessionId: victim() })

  /** A new type of message does not compile until it has some here. */
  const bodies: { readonly [Type in RequestType]: readonly (() => Fields)[] } = {
    hello: [() => ({ extra: junk() }), () => ({ again: wrong() })],
    // Well formed, too, and about another's session: other keys, and below other bytes under a taken index.
    'session-start': [
      () => ({ session: corrupted(session()) }),
      () => ({ session: { ...session(), access: [corrupted(member())] } }),
      () => ({ session: session() }),
    ],
    chunk: [
      () => ({ chunk: corrupted(chunk()) }),
      () => ({ chunk: { ...chunk(), seal: corrupted(seal()) } }),
      () => ({ chunk: chunk() }),
      () => ({ chunk: { ...chunk(), sessionId: foreign() } }),
    ],
    note: [() => corrupted(noteTo(victim())), () => noteTo(foreign())],
    'session-end': [
      ...ofNobody(),
      ofVictim(() => ({ indexes: wrong() })),
      ofVictim(() => ({ indexes: 4, how: wrong() })),
    ],
    sessions: [() => ({ extra: junk() })],
    chunks: [...ofNobody(), ofVictim(() => ({ extra: junk() }))],
    bytes: [
      ...ofNobody({ index: 0 }),
      ofVictim(() => ({ index: below(8) })),
      ofVictim(() => ({ index: junk() })),
    ],
    log: [...ofNobody(), ofVictim(() => ({ extra: junk() }))],
    pause: ofNobody(),
    resume: ofNobody(),
    // It goes where this worker goes already.
    adopt: [...ofNobody(), ofVictim(() => ({ extra: junk() }))],
    policy: [() => ({ extra: junk() }), () => ({ policy: wrong() })],
    discard: [
      ...ofNobody({ confirm }),
      ofVictim(() => ({})),
      ofVictim(() => ({ confirm: wrong() })),
      ofVictim(() => ({ confirm: 'discard-confirmed' })),
    ],
  }
  const typed = Object.entries(bodies).map(([type, of]) => () => ({ holdfast, type, ...pick(of)() }))
  const messages: readonly (() => unknown)[] = [
    ...typed,
    junk,
    () => ({ holdfast, type: junk() }),
    () => ({ holdfast: junk(), type: 'discard', sessionId: victim(), confirm }),
  ]
  return () => pick(messages)()
}
