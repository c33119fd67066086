import { HoldfastError } from '../../src/protocol/errors.ts'
import { never, type WorkerLifetime } from '../../sw/testing/worker-lifetime.ts'
import type { Scene } from './simulated-scene.ts'

/** A worker as the network knows it. */
export interface Caller {
  readonly name: string
  readonly lifetime: WorkerLifetime
  /** What it has under way when it dies arrives this much later, ms; undefined: never. */
  readonly laterMs: number | undefined
}

export interface Exchange {
  readonly what: string
  readonly signal: AbortSignal
  /** Time on the way there, ms. */
  readonly takesMs: number
  /** When it leaves the device. */
  readonly leaves?: () => void
  /** Whether nobody will ever answer it, whatever its signal says. */
  readonly hangs?: boolean
}

/**
 * One request: it leaves, arrives and takes effect, and the answer comes back. The caller can die, give up, or be
 * cut off at each of these; what has left may take effect without it, also much later.
 *
 * @param effect what the other side does, told whether it is to lie
 */
export async function request<T>(
  scene: Scene,
  { name, lifetime, laterMs }: Caller,
  { what, signal, takesMs, leaves, hangs = false }: Exchange,
  effect: (lies: boolean) => T | Promise<T>,
): Promise<T> {
  const { clock, faults, trace } = scene
  if (!lifetime.passes(`before ${what}`)) return never()
  if (signal.aborted) throw aborted(what)
  if (isSuspended(scene)) scene.fail(`${name}: ${what} left, though uploads are suspended`)
  const fault = scene.nextRequestFault()
  trace(() => `${name}: ${what}${fault ? ` (${JSON.stringify(fault)})` : ''}`)
  leaves?.()
  lifetime.passes(`${what} is under way`)

  const apart = async (afterMs: number) => {
    await scene.sleep(afterMs)
    trace(() => `${what} takes effect, though ${name} no longer waits for it`)
    try {
      await effect(false)
    } catch {
      // Nobody hears how the other side answers.
    }
  }
  if (hangs) {
    trace(() => `${what} hangs`)
    if (scene.random() < 0.5) void apart(10_000)
    return never()
  }
  const slowMs = fault?.kind === 'slow' ? fault.ms : 0
  await clock.sleep(scene.about(takesMs) + Math.min(slowMs, DEADLINE_MS), signal)
  if (lifetime.dead) {
    if (laterMs !== undefined) void apart(laterMs)
    return never()
  }
  if (signal.aborted) {
    if (scene.random() < 0.3) void apart(10_000)
    throw aborted(what)
  }
  if (slowMs > DEADLINE_MS) {
    void apart(slowMs - DEADLINE_MS)
    throw new HoldfastError('timeout', `${what} was too slow.`)
  }
  if (faults.lasts('offline')) throw new HoldfastError('unreachable', 'Offline.')
  if (faults.lasts('signed-out')) throw new HoldfastError('sign-in-needed', 'Signed out.')
  const busyMs = faults.leftMs('busy')
  if (busyMs > 0) throw errorOf({ code: 'throttled', retryAfterMs: busyMs })
  if (fault?.kind === 'fails' && !fault.after) throw errorOf(fault)
  const answer = await effect(fault?.kind === 'lies')
  await clock.sleep(scene.about(takesMs), signal)
  if (!lifetime.passes(`after ${what}`)) return never()
  if (signal.aborted) throw aborted(what)
  if (faults.lasts('offline')) throw new HoldfastError('unreachable', 'Offline.')
  if (fault?.kind === 'fails') throw errorOf(fault)
  return answer
}

/** The transports and the anchor give up what is not answered, or drips, ms (sw/http, evm.ts). */
const DEADLINE_MS = 30_000
/** A drain that runs learns of a policy, or of a metered network, within this time of a disk that answers, ms. */
const LEARNS_WITHIN_MS = 20_000

/** Whether nothing may leave, and everybody has had the time to know. */
function isSuspended({ clock, faults, policy, diskHangsUntilMs }: Scene): boolean {
  const knownMs = clock.now() - LEARNS_WITHIN_MS
  if (Math.max(policy.sinceMs, diskHangsUntilMs) > knownMs) return false
  if (policy.value === 'paused') return true
  return policy.value === 'unmetered' && faults.lastedMs('metered') >= LEARNS_WITHIN_MS
}

const aborted = (what: string) => new HoldfastError('aborted', `${what} was stopped.`)

const errorOf = ({ code, retryAfterMs }: { code: HoldfastError['code']; retryAfterMs: number }) =>
  new HoldfastError(code, `A simulated ${code}.`, { retryAfterMs })
