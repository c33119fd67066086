import { seeded } from '../soak/seeded-random.ts'
import { hostileMessages, type Fields } from './hostile-messages.ts'

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

const IN_FLIGHT = 100
/** A last net, for a machine however slow: nobody waits for it where each message is answered. */
const SILENCE_MS = 240_000

/** Posts that many messages which no page of ours sends to the active worker, and waits for their answers. */
async function fuzz({ seed, count, victims }: FuzzOptions): Promise<FuzzReport> {
  const random = seeded(seed)
  const message = await hostileMessages({ random, victims })
  const { active } = await navigator.serviceWorker.ready
  const answers: Record<string, number> = {}
  let [sent, unsendable] = [0, 0]
  const unanswered: string[] = []
  const note = (code: string) => void (answers[code] = (answers[code] ?? 0) + 1)

  async function post(data: unknown): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    const manner = random.next()
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
