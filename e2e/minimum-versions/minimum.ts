import { MEMBERS, NAMES, OLD, SYNTAX, type Versions } from './compat-data.ts'

/**
 * What the code asks for before it uses it, and does without:
 * - notifications and what tells of the network or of permissions, in the capability report and in the worker
 * - the state of the worker, which Firefox does not tell
 * - the screen's lock while it records
 * - `_` of workbox, in a `try`
 * - style sheets that are made by a script, and the lock of the screen, in the elements
 * - the scheduler of a page's tasks, in the reader
 * - hex by the platform, in the curves' library that stands in for X25519
 */
const OPTIONAL: ReadonlySet<string> = new Set([
  'Notification',
  'Notification.permission',
  'navigator.connection',
  'navigator.permissions',
  'navigator.wakeLock',
  'serviceWorker',
  '_',
  'scheduler',
  'CSSStyleSheet',
  'navigator.wakeLock',
  'Uint8Array.fromHex',
  '.toHex()',
])

/** Of our own objects: the platform's of that name is younger, and not used. */
const OURS: ReadonlySet<string> = new Set(['.bytes()'])

/** A feature's first versions. */
export interface Known {
  readonly feature: string
  readonly versions: Versions
}

/** What is known of the features that code uses, and the names of which nothing is known. */
export function lookUp(features: Iterable<string>): {
  readonly known: readonly Known[]
  readonly unknown: readonly string[]
} {
  const known: Known[] = []
  const unknown: string[] = []
  for (const used of features) {
    if (OPTIONAL.has(used) || OURS.has(used)) continue
    const feature = used.startsWith('.') ? youngMember(used) : used
    const versions = feature && (NAMES[feature] ?? MEMBERS[feature] ?? SYNTAX[feature])
    if (feature && versions) known.push({ feature, versions })
    else if (!used.startsWith('.') && !OLD.has(used)) unknown.push(used)
  }
  return { known, unknown }
}

/** The member of that name, of several the oldest. */
function youngMember(name: string): string | undefined {
  const [oldest] = Object.keys(MEMBERS)
    .filter((member) => member.endsWith(`prototype${name}`))
    .toSorted((a, b) => (MEMBERS[a]?.[0] ?? 0) - (MEMBERS[b]?.[0] ?? 0))
  return oldest
}

/** In a browser's column: the first version that has all, and which of them no older one has. */
export function minimumIn(
  known: readonly Known[],
  column: number,
): { readonly version: number; readonly decides: readonly string[] } {
  const version = Math.max(0, ...known.map(({ versions }) => versions[column] ?? 0))
  const decides = known.filter(({ versions }) => versions[column] === version).map(({ feature }) => feature)
  return { version, decides: [...new Set(decides)].toSorted() }
}
