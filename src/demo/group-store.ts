import type { Group } from '../api.ts'
import { groupOf } from '../group.ts'
import { isGroupId, type GroupId } from '../protocol/ids.ts'
import { encodeKey, parseKey } from './group-key.ts'

/** A group that this device knows; its key only where someone chose to keep it. */
export interface KnownGroup {
  readonly id: GroupId
  readonly name: string
  readonly key?: string
}

const GROUPS = 'holdfast-demo-groups'
const CHOSEN = 'holdfast-demo-group'

/** Keys that were typed in but not kept: they go with the tab. */
const untilClosed = new Map<GroupId, Group>()

function parseGroup(value: unknown): KnownGroup[] {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('name' in value)) return []
  if (!isGroupId(value.id) || typeof value.name !== 'string') return []
  const key = 'key' in value && typeof value.key === 'string' ? { key: value.key } : {}
  return [{ id: value.id, name: value.name, ...key }]
}

/** The groups that this device knows, oldest first. */
export function knownGroups(): readonly KnownGroup[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(GROUPS) ?? '[]')
    return Array.isArray(stored) ? stored.flatMap(parseGroup) : []
  } catch {
    return []
  }
}

const write = (groups: readonly KnownGroup[]) => localStorage.setItem(GROUPS, JSON.stringify(groups))

/** Adds a group or renames it. Its key outlives the tab only with `keepKey`. */
export function rememberGroup(name: string, group: Group, keepKey: boolean): void {
  untilClosed.set(group.id, group)
  const entry = { id: group.id, name, ...(keepKey ? { key: encodeKey(group.secret) } : {}) }
  const known = knownGroups()
  const at = known.findIndex(({ id }) => id === group.id)
  write(at < 0 ? [...known, entry] : known.with(at, entry))
}

/** Removes the key from this device; the group's name and id stay. */
export function forgetKey(id: GroupId): void {
  untilClosed.delete(id)
  write(knownGroups().map((group) => (group.id === id ? { id, name: group.name } : group)))
}

/** The group with its secret, where this device or this tab still has it. */
export function groupWithKey(id: GroupId): Group | undefined {
  const key = knownGroups().find((group) => group.id === id)?.key
  const secret = key === undefined ? undefined : parseKey(key)
  return secret instanceof Uint8Array ? groupOf(secret) : untilClosed.get(id)
}

/** The group chosen for the next recording. */
export function chosenGroup(): KnownGroup | undefined {
  const known = knownGroups()
  const chosen = localStorage.getItem(CHOSEN)
  return known.find(({ id }) => id === chosen) ?? known.at(-1)
}

/** Chooses the group of the next recording. */
export const chooseGroup = (id: GroupId) => localStorage.setItem(CHOSEN, id)
