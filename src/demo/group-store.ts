import type { Group } from '../api.ts'
import type { GroupKeys } from '../group.ts'
import { isGroupId, isSha256Hex, type GroupId } from '../protocol/ids.ts'
import { encodeKey, parseKey } from './group-key.ts'

/** A group that this device knows: enough to record for it. */
export interface KnownGroup extends Group {
  readonly id: GroupId
  readonly name: string
  /** The group key as text: opens the recordings, and is here only where someone chose to keep it. */
  readonly key?: string
}

/** Where the key of a group is: on this device, in this tab until it closes, or somewhere else. */
export type KeyPlace = 'kept' | 'tab' | 'elsewhere'

const GROUPS = 'holdfast-demo-groups'
const CHOSEN = 'holdfast-demo-group'

/** Keys that were typed in but not kept: they go with the tab. */
const untilClosed = new Map<GroupId, GroupKeys>()

function parseGroup(value: unknown): KnownGroup[] {
  if (typeof value !== 'object' || value === null) return []
  const { id, name, publicKey, key } = value as Readonly<Record<string, unknown>>
  if (!isGroupId(id) || typeof name !== 'string' || !isSha256Hex(publicKey)) return []
  return [{ id, name, publicKey, ...(typeof key === 'string' && { key }) }]
}

function stored(): unknown[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(GROUPS) ?? '[]')
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

/** The groups that this device knows, oldest first. */
export const knownGroups = (): readonly KnownGroup[] => stored().flatMap(parseGroup)

let onChange = () => {}

/** Has this called after every change, by another tab, too. */
export function watchGroups(draw: () => void): void {
  onChange = draw
  addEventListener('storage', draw)
}

function write(groups: readonly KnownGroup[]): void {
  // Of another version, whose keys somebody may still need.
  const others = stored().filter((value) => parseGroup(value).length === 0)
  localStorage.setItem(GROUPS, JSON.stringify([...others, ...groups]))
  onChange()
}

function put(entry: KnownGroup): void {
  const known = knownGroups()
  const at = known.findIndex(({ id }) => id === entry.id)
  write(at < 0 ? [...known, entry] : known.with(at, entry))
}

/** Adds a group to record for, or renames it. A key that is here stays. */
export function rememberGroup({ id, name, publicKey }: KnownGroup): void {
  const key = knownGroups().find((group) => group.id === id)?.key
  put({ id, name, publicKey, ...(key !== undefined && { key }) })
}

/** The same with its key, which outlives the tab only with `keepKey`. */
export function rememberKey({ id, name }: KnownGroup, keys: GroupKeys, keepKey: boolean): void {
  untilClosed.set(id, keys)
  put({ id, name, publicKey: keys.publicKey, ...(keepKey && { key: encodeKey(keys.privateKey) }) })
}

/** Removes the key from this device, which can still record for the group. */
export function forgetKey(id: GroupId): void {
  untilClosed.delete(id)
  const without = ({ name, publicKey }: KnownGroup): KnownGroup => ({ id, name, publicKey })
  write(knownGroups().map((group) => (group.id === id ? without(group) : group)))
}

/** Both keys of a group, where this device or this tab still has the one that opens. */
export function groupWithKey(id: GroupId): GroupKeys | undefined {
  const known = knownGroups().find((group) => group.id === id)
  const kept = known?.key === undefined ? undefined : parseKey(known.key)
  if (!known || typeof kept !== 'object' || kept.kind !== 'group') return untilClosed.get(id)
  return { publicKey: known.publicKey, privateKey: kept.privateKey }
}

/** Where the key of a group is. */
export function placeOfKey(id: GroupId): KeyPlace {
  if (knownGroups().some((group) => group.id === id && group.key !== undefined)) return 'kept'
  return untilClosed.has(id) ? 'tab' : 'elsewhere'
}

/** The group chosen for the next recording. */
export function chosenGroup(): KnownGroup | undefined {
  const known = knownGroups()
  const chosen = localStorage.getItem(CHOSEN)
  return known.find(({ id }) => id === chosen) ?? known.at(-1)
}

/** Chooses the group of the next recording. */
export function chooseGroup(id: GroupId): void {
  localStorage.setItem(CHOSEN, id)
  onChange()
}
