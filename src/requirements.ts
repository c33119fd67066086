/**
 * What page and worker cannot do without and this browser, or this page of it, lacks, by name. All else that they use
 * is as old in every browser: e2e/minimum-versions compares. Some of it a person can switch off.
 */
export function missingFeatures(): string[] {
  const owners = {
    serviceWorker: navigator,
    locks: navigator,
    indexedDB: globalThis,
    BroadcastChannel: globalThis,
    throwIfAborted: AbortSignal.prototype,
  }
  return Object.entries(owners).flatMap(([name, owner]) => (name in owner ? [] : name))
}
