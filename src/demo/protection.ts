import { protectStorage, type Protection } from '../storage/room.ts'

let asking: Promise<Protection> | undefined
let answer: Protection | undefined
let isKept: boolean | undefined
const listeners = new Set<() => void>()

/**
 * Asks the browser, once a page, to keep what is on this device: before the first key is kept here, and before the first
 * recording. Nobody is to wait for the answer: some browsers ask the person.
 */
export function askToKeep(): Promise<Protection> {
  asking ??= protectStorage().then((protection) => {
    answer = protection
    for (const listener of listeners) listener()
    return protection
  })
  return asking
}

/** Looks whether it is kept, without asking: what is here already may be at risk. */
export async function lookWhetherKept(): Promise<void> {
  isKept = await navigator.storage?.persisted?.().catch(() => undefined)
}

/** What the browser has answered; undefined while it was not asked. */
export const protectionNow = (): Protection | undefined => answer

/** True where the browser may clear what is here when space runs out. */
export const mayBeCleared = (): boolean => (answer ?? (isKept === false ? 'refused' : 'kept')) === 'refused'

/** Has this called once the browser has answered. */
export const watchProtection = (listener: () => void): void => void listeners.add(listener)
