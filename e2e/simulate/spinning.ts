import type { DiskState } from '../../sw/testing/fake-disk.ts'
import type { Device } from './device.ts'
import type { Scene } from './simulated-scene.ts'

const LOOK_EVERY_MS = 10_000
/** A drain looks each quarter of a minute; one that spins reads twenty times a second. */
const MOST_READS = 100
/** Each open page greets, and is answered from the disk. */
const READS_PER_TAB = 10

/** Watches, while faults last, that nobody reads the disk again and again while nothing on it changes. */
export async function watchSpinning(scene: Scene, device: Device): Promise<void> {
  const { disk, reads } = device
  let before = { state: disk.state, reads: reads() }
  while (!scene.healing && scene.failure === undefined) {
    await scene.sleep(LOOK_EVERY_MS)
    const now = { state: disk.state, reads: reads() }
    const spun = now.reads - before.reads
    if (isSame(now.state, before.state) && spun > MOST_READS + READS_PER_TAB * device.tabs)
      scene.fail(`the disk was read ${spun} times in ${LOOK_EVERY_MS / 1_000} s, and nothing changes`)
    before = now
  }
}

const isSame = (now: DiskState, before: DiskState) =>
  now.sessions === before.sessions && now.chunks === before.chunks && now.meta === before.meta
