import type { WaitOptions } from './api.ts'
import { browserSays } from './browser-says.ts'
import { missingFeatures } from './requirements.ts'
import { unlessAborted } from './protocol/unless-aborted.ts'

/** Whether uploads go on when no page of the origin is open. */
export type BackgroundWakes =
  /** The browser wakes the worker by itself, for about so long after the last page; then at the next visit. */
  | { readonly kind: 'background-sync'; readonly aboutMs: number }
  /** It could, but this person, or the browser's vendor, has forbidden it: at the next visit. */
  | { readonly kind: 'forbidden' }
  /** It cannot: at the next visit. */
  | { readonly kind: 'none' }

/** What this browser can promise for this origin right now. */
export interface Capabilities {
  /** What this browser, or this page without https or with cookies blocked (`site data`), lacks: `connect` refuses it. Empty where it lacks nothing. */
  readonly missing: readonly string[]
  readonly backgroundWakes: BackgroundWakes
  /** `persistent`: not cleared to make room. `best-effort`: may be. */
  readonly storage: 'persistent' | 'best-effort' | 'unknown'
  /** How the worker stores chunks: a file-backed Blob where that is sound, else a buffer. */
  readonly payloadForm: 'blob' | 'buffer'
  /** Bytes used and allowed, as the browser says; Chromium does not tell the truth about the quota. */
  readonly usageBytes?: number
  readonly quotaBytes?: number
  /** `private`: what is on this device is gone when the window closes. No browser says so; this is deduced. */
  readonly window: 'private' | 'ordinary' | 'unknown'
  /** Whether a person can be told when only they can bring uploads further. */
  readonly notifications: NotificationPermission | 'unsupported'
  readonly push: boolean
  readonly periodicSync: PermissionState | 'unsupported'
  /**
   * A database that no scope is in the name of, as an earlier version of this library named it: this app's, or another's
   * of the origin. Nothing reads it any more, and nothing deletes it; a worker of that version would upload what it holds.
   */
  readonly earlierDatabase: boolean | 'unknown'
  /** The same in sentences for a person, most important first. */
  readonly words: readonly string[]
}

/** What a page lacks in which cookies are blocked, or that is in a sandbox without `allow-same-origin`. */
const SITE_DATA = 'site data'

/** How long after the death of a page of five minutes the schedule still woke the worker, in minutes (docs/browsers-measured.md). */
const SCHEDULE_MINUTES = 25

/**
 * Asks the browser, and rejects with the reason of its signal alone. It leaves nothing behind: a database,
 * `holdfast-probe`, is there while it asks. Call it again after a permission was asked for.
 */
export const capabilities = ({ signal }: WaitOptions = {}): Promise<Capabilities> =>
  unlessAborted(signal, ask)

async function ask(): Promise<Capabilities> {
  const storage = navigator.storage as Partial<StorageManager> | undefined
  const [registration, persisted, estimate, sync, periodic, isPrivate, databases] = await Promise.all([
    // Without cookies it refuses, as all that keeps something does; in a sandbox one may not even ask.
    browserSays(() => registered().catch(() => null)),
    browserSays(async () => storage?.persisted?.()),
    browserSays(async () => storage?.estimate?.()),
    permission('background-sync'),
    permission('periodic-background-sync'),
    browserSays(refusesBlobs),
    // Older browsers do not list them, and opening one to see would make it.
    browserSays(async () => globalThis.indexedDB?.databases?.()),
  ])
  // Asked of what it would be, as on a first visit there is none yet.
  const has = (name: string) => name in (globalThis.ServiceWorkerRegistration?.prototype ?? {})
  const missing = registration === null ? [...missingFeatures(), SITE_DATA] : missingFeatures()
  const found: Omit<Capabilities, 'words'> = {
    missing,
    backgroundWakes:
      !has('sync') || isInFrameOfOther()
        ? { kind: 'none' }
        : sync === 'denied'
          ? { kind: 'forbidden' }
          : { kind: 'background-sync', aboutMs: SCHEDULE_MINUTES * 60_000 },
    storage: persisted === undefined ? 'unknown' : persisted ? 'persistent' : 'best-effort',
    payloadForm: 'userAgentData' in navigator ? 'blob' : 'buffer',
    ...(estimate?.usage !== undefined && { usageBytes: estimate.usage }),
    ...(estimate?.quota !== undefined && { quotaBytes: estimate.quota }),
    window: isPrivate ? 'private' : 'unknown',
    notifications: 'Notification' in globalThis ? Notification.permission : 'unsupported',
    push: has('pushManager'),
    periodicSync: has('periodicSync') ? (periodic ?? 'prompt') : 'unsupported',
    earlierDatabase: databases?.some(({ name }) => name === 'holdfast') ?? 'unknown',
  }
  return { ...found, words: sentences(found) }
}

/**
 * Whether the page that is seen is another origin's. Then Chromium, which alone has Background Sync, registers no sync:
 * it wants an open window of this origin, in the same part of its storage.
 */
const isInFrameOfOther = () =>
  [...(globalThis.location?.ancestorOrigins ?? [])].some((origin) => origin !== location.origin)

const registered = async () => navigator.serviceWorker?.getRegistration()

/** The state of a permission, where the browser knows its name. */
const permission = (name: string) =>
  browserSays(async () => (await navigator.permissions.query({ name: name as PermissionName })).state)

/**
 * WebKit refuses to store a Blob in a private window, and nowhere else (docs/browsers.md). A database that is ill stores
 * no text either. What a page that died over it has left goes with the next call.
 */
async function refusesBlobs(): Promise<boolean> {
  const name = 'holdfast-probe'
  const opening = indexedDB.open(name, 1)
  opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore('probe'))
  const db = await settled(opening)
  const put = async (value: unknown) =>
    settled(db.transaction('probe', 'readwrite').objectStore('probe').put(value, 1))
  try {
    return await put(new Blob(['probe'])).then(
      () => false,
      async () => (await put('probe')) === 1,
    )
  } finally {
    db.close()
    // Where another tab has it open, it goes with that.
    const gone = indexedDB.deleteDatabase(name)
    await new Promise((resolve) =>
      ['success', 'error', 'blocked'].forEach((type) => gone.addEventListener(type, resolve)),
    )
  }
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
  })
}

function sentences({
  missing,
  backgroundWakes,
  storage,
  window,
  notifications,
  earlierDatabase,
}: Omit<Capabilities, 'words'>): string[] {
  if (missing.length > 0) return [refusal(missing)]
  const words = [WAKE_WORDS[backgroundWakes.kind]]
  if (window === 'private') words.push('This window is private: what is not uploaded is lost when it closes.')
  if (earlierDatabase === true)
    words.push('Recordings of an earlier version of this app may be on this device, and are not uploaded.')
  if (storage === 'best-effort')
    words.push('The browser may clear recordings that are not uploaded yet if the device runs out of space.')
  if (storage === 'persistent') words.push('The browser keeps recordings until they are uploaded.')
  if (backgroundWakes.kind === 'background-sync')
    words.push(
      notifications === 'granted'
        ? 'You are told if uploads need you.'
        : 'You are not told if uploads need you: notifications are not allowed.',
    )
  return words
}

const refusal = (missing: readonly string[]) =>
  missing.includes(SITE_DATA)
    ? 'Recordings cannot be kept here: cookies and site data are blocked, or this frame is sandboxed.'
    : isSecureContext
      ? `This browser cannot keep recordings: it lacks ${missing.join(', ')}. A newer one may not.`
      : 'Recordings cannot be kept here: this page was not loaded over https.'

const WAKE_WORDS: Readonly<Record<BackgroundWakes['kind'], string>> = {
  'background-sync': `Uploads go on after this page is closed, for about ${SCHEDULE_MINUTES} minutes, and whenever the app is opened.`,
  forbidden: 'Uploads go on only while this app is open: background sync is switched off in this browser.',
  none: 'Uploads go on only while this app is open; what is left goes up when it is opened again.',
}
