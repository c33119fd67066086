/**
 * The name of what a page and its worker share beside messages: database, locks, channel. Workers of one origin share
 * such names, so each belongs to a registration: another app of the origin, under another scope, never meets it.
 *
 * @param scope the registration's, as the browser tells it to page and worker: an absolute URL
 */
export const nameFor = (base: string, scope: string) => `${base}:${scope}`
