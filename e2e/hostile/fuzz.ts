import { PROTOCOL_VERSION as holdfast } from '../../src/protocol/messages.ts'

/** What the fuzz saw. */
export interface FuzzReport {
  readonly sent: number
  /** Messages that the browser itself refused to clone. */
  readonly unsendable: number
  /** Messages that had no answer, in words. */
  readonly unanswered: readonly string[]
  /** Answers by code; `ok:` and the type for what was granted. */
  readonly answers: Readonly<Record<string, number>>
}

export interface FuzzOptions {
  readonly seed: number
  readonly count: number
  /** Sessions on the device, which a hostile page has learned of. */
  readonly victims: readonly string[]
}

type Fields = Record<string, unknown>

/** A message as far as its own fields. */
const describe = (data: unknown) =>
  Object.entries(Object(data))
    .map(
      ([name, value]) =>
        `${name}=${Object.prototype.toString.call(value)}${typeof value === 'string' ? value.slice(0, 40) : ''}`,
    )
    .join(' ')

const isFields = (data: unknown): data is Fields =>
  typeof data === 'object' && data !== null && !Array.isArray(data)

/** mulberry32: small, seeded, the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const IN_FLIGHT = 100
/** A last net, for a machine however slow: nobody waits for it where each message is answered. */
const SILENCE_MS = 240_000
const HEX = 'ab'.repeat(32)

/** Posts that many messages which no page of ours sends to the active worker, and waits for their answers. */
export async function fuzz({ seed, count, victims }: FuzzOptions): Promise<FuzzReport> {
  const random = randomOf(seed)
  const below = (end: number) => Math.floor(random() * end)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
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
      () => random(),
      () => -below(1e9),
      () => Number.NaN,
      () => 2 ** 53,
      () => 10n ** 30n,
      () => '',
      () => 'x'.repeat(below(20_000)),
      () => '\u0000\uD800../../',
      () => [],
      () => Array.from({ length: below(2_000) }, random),
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

  const seal = (): Fields => ({
    encryptedHash: HEX,
    iv: 'ab'.repeat(12),
    chunkKey: 'ab'.repeat(80),
  })
  const chunk = (): Fields => ({
    sessionId: pick(victims),
    index: below(4),
    plaintextHash: HEX,
    seal: seal(),
    capturedAtMs: 1_770_000_000_000,
    durationMs: 500,
    payload,
  })
  const member = (): Fields => ({ id: `0x${HEX}`, tag: HEX, sealedKey: 'ab'.repeat(80) })
  const session = (): Fields => ({
    sessionId: pick(victims),
    mimeType: 'video/webm',
    startedAtMs: 1,
    ...keys,
    sealingKey: HEX,
    access: [member()],
    seal: 'page',
  })
  /** Its number is beyond what a session has, so that none gets in where nothing of it is corrupted. */
  const noteTo = (sessionId: unknown): Fields => ({ sessionId, index: 1_000, atMs: 1, sealed: HEX })
  const corrupted = (fields: Fields): Fields => {
    const names = Object.keys(fields)
    for (let times = 1 + below(3); times > 0; times--) {
      const name = pick(names)
      if (random() < 0.3) delete fields[name]
      else fields[name] = junk()
    }
    return fields
  }
  /** Types that change something where they name a session of the device. */
  const changing = ['session-end', 'pause', 'resume', 'discard', 'chunks']
  const message = (): unknown =>
    pick<() => unknown>([
      junk,
      () => ({ holdfast, type: junk() }),
      () => ({ holdfast: junk(), type: 'discard', sessionId: pick(victims), confirm: 'discard-unconfirmed' }),
      () => ({ holdfast, type: 'chunk', chunk: corrupted(chunk()) }),
      () => ({ holdfast, type: 'chunk', chunk: { ...chunk(), seal: corrupted(seal()) } }),
      () => ({ holdfast, type: 'session-start', session: corrupted(session()) }),
      () => ({ holdfast, type: 'session-start', session: { ...session(), access: [corrupted(member())] } }),
      () => ({ holdfast, type: 'note', ...corrupted(noteTo(pick(victims))) }),
      () => ({ holdfast, type: 'note', ...noteTo(foreign()) }),
      // Well formed, and about another's session: other bytes under a taken index, other keys for a known session.
      () => ({ holdfast, type: 'chunk', chunk: chunk() }),
      () => ({ holdfast, type: 'session-start', session: session() }),
      () => ({ holdfast, type: 'chunk', chunk: { ...chunk(), sessionId: foreign() } }),
      () => ({ holdfast, type: pick(changing), sessionId: foreign(), confirm: 'discard-unconfirmed' }),
      () => ({ holdfast, type: pick(changing), sessionId: junk() }),
      () => ({ holdfast, type: 'discard', sessionId: pick(victims) }),
      () => ({ holdfast, type: 'discard', sessionId: pick(victims), confirm: junk() }),
      () => ({ holdfast, type: 'discard', sessionId: pick(victims), confirm: 'discard-confirmed' }),
      () => ({ holdfast, type: pick(['hello', 'sessions']), extra: junk() }),
    ])()

  const { active } = await navigator.serviceWorker.ready
  const answers: Record<string, number> = {}
  let [sent, unsendable] = [0, 0]
  const unanswered: string[] = []
  const note = (code: string) => void (answers[code] = (answers[code] ?? 0) + 1)

  async function post(data: unknown): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    const manner = random()
    // Without a port, with one that is closed, with two: nobody waits for these.
    const ports = manner < 0.05 ? [] : manner < 0.1 ? [port2, new MessageChannel().port1] : [port2]
    if (manner > 0.05 && manner < 0.08) port1.close()
    try {
      active?.postMessage(data, ports)
      sent++
    } catch {
      unsendable++
      return
    }
    const ours = isFields(data) && data['holdfast'] !== undefined
    if (manner < 0.1 || !ours) return port1.close()
    const answer = await new Promise<{ ok: boolean; error?: { code: string } } | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), SILENCE_MS)
      port1.addEventListener('message', ({ data: reply }) => {
        clearTimeout(timer)
        resolve(reply)
      })
      port1.start()
    })
    port1.close()
    if (answer === undefined) unanswered.push(`${sent}: ${describe(data)}`)
    else note(answer.ok ? `ok:${String((data as Fields)['type'])}` : (answer.error?.code ?? 'no code'))
  }

  let begun = 0
  const lane = async () => {
    while (begun++ < count) await post(message())
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return { sent, unsendable, unanswered, answers }
}

declare global {
  interface Window {
    fuzz: typeof fuzz
  }
}

globalThis.window.fuzz = fuzz
