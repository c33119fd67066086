import { OwnError } from '../../sw/ports/own-error.ts'
import type { Store } from '../../sw/ports/store.ts'
import type { FakeDisk } from '../../sw/testing/fake-disk.ts'
import { never, type WorkerLifetime } from '../../sw/testing/worker-lifetime.ts'
import type { DiskFault } from './history.ts'
import type { Scene } from './simulated-scene.ts'

/** The disk takes about this long for a commit, ms. */
const COMMIT_MS = 2
/** On a slow device it takes up to this, ms. */
const SLOW_COMMIT_MS = 1_000
/** A transaction that hangs is given up after three tries of 20 s, and 2 s each to end (sw/adapters/store/idb.ts), ms. */
export const GIVEN_UP_AFTER_MS = 66_000

/** A disk whose transactions fail, hang and fall, one by one or for a while. */
export interface FaultyDisk {
  /**
   * The disk as one worker reaches it.
   *
   * @param commits whether a transaction that is in flight when the worker dies becomes durable
   */
  storeOf(lifetime: WorkerLifetime, commits: boolean): Store
  /** How often it was read from. */
  reads(): number
}

export function faultyDisk(scene: Scene, disk: FakeDisk): FaultyDisk {
  const { clock, faults, history, trace } = scene
  const begun = { read: 0, write: 0 }

  /** What goes wrong with the transaction that begins now. */
  const faultOf = (of: DiskFault['of']): Pick<DiskFault, 'how' | 'code'> | undefined => {
    const nth = ++begun[of]
    if (scene.healing) return undefined
    const planned = history.diskFaults.find((one) => one.of === of && one.nth === nth)
    const falls = faults.lasts('disk-fails') && scene.random() < 0.5
    const fault = planned ?? (falls ? ({ how: 'fails', code: 'storage-failed' } as const) : undefined)
    if (fault !== undefined) trace(() => `${of} ${nth} of the disk ${fault.how}: ${fault.code}`)
    return fault
  }

  const storeOf = (lifetime: WorkerLifetime, commits: boolean): Store => {
    const died = new Promise<void>((resolve) => lifetime.onDeath(resolve))
    const fail = async ({ how, code }: Pick<DiskFault, 'how' | 'code'>): Promise<never> => {
      if (how === 'hangs') {
        scene.diskHangsUntilMs = clock.now() + GIVEN_UP_AFTER_MS
        await Promise.race([scene.sleep(GIVEN_UP_AFTER_MS), died])
      }
      throw new OwnError(code, 'The disk fails.')
    }
    return {
      read: (work) =>
        lifetime.query(async () => {
          const fault = faultOf('read')
          return fault === undefined ? disk.read(work) : fail(fault)
        }),
      async write(work, needs) {
        if (!lifetime.passes('before a commit')) return never()
        const fault = faultOf('write')
        const { powerLosses } = scene
        const ending = async () => {
          const isSlow = faults.lasts('disk-slow')
          await scene.sleep(isSlow ? Math.round(SLOW_COMMIT_MS * scene.random()) : scene.about(COMMIT_MS))
          if (scene.powerLosses > powerLosses) throw new Error('The power was lost.')
          if (lifetime.dead && !commits) throw new Error('Its worker died.')
          if (fault !== undefined && fault.how !== 'commits') await fail(fault)
          if (faults.lasts('disk-full')) throw new OwnError('storage-full', 'The disk is full.')
        }
        try {
          const result = await disk.write(
            async (tx) => {
              if (lifetime.dead) throw new Error('Its worker died.')
              return work(tx)
            },
            needs,
            ending,
          )
          if (fault?.how === 'commits') await fail(fault)
          return result
        } finally {
          if (!lifetime.passes('after a commit')) await never()
        }
      },
      payload: (id) =>
        lifetime.query(async () => {
          if (faults.lasts('unreadable'))
            throw new OwnError('payload-unreadable', `The bytes of ${id} cannot be read.`)
          return disk.payload(id)
        }),
      close: () => undefined,
    }
  }
  return { storeOf, reads: () => begun.read }
}
