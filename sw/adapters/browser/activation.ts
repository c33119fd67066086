declare const self: ServiceWorkerGlobalScope

/**
 * Resolves once this is the active worker. One that waits must leave the database alone: its upgrade would lock the
 * older one, which the pages still record with, out of it. Call it while the script is first run.
 */
export const activation = () =>
  new Promise<unknown>((resolve) => {
    self.addEventListener('activate', resolve)
    // Not known everywhere: there a worker does not wait.
    if ((self.serviceWorker?.state ?? 'activated') === 'activated') resolve(undefined)
  })
