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
  /** Somebody has proved that there is a copy of the key elsewhere: only then can it be removed here. */
  readonly hasCopy?: boolean
}

/** Where the key of a group is: on this device and, as far as is known, nowhere else; on this device too, in this tab until it closes, or somewhere else. */
export type KeyPlace = 'only-here' | 'kept' | 'tab' | 'elsewhere'

const GROUPS = 'holdfast-demo-groups'
const CHOSEN = 'holdfast-demo-group'

/** Keys that were typed in but not kept: they go with the tab. */
const untilClosed = new Map<GroupId, GroupKeys>()

function parseGroup(value: unknown): KnownGroup[] {
  if (typeof value !== 'object' || value === null) return []
  const { id, name, publicKey, key, hasCopy } = value as Readonly<Record<string, unknown>>
  if (!isGroupId(id) || typeof name !== 'string' || !isSha256Hex(publicKey)) return []
  return [
    { id, name, publicKey, ...(typeof key === 'string' && { key }), ...(hasCopy === true && { hasCopy }) },
  ]
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

const knownAs = (id: GroupId) => knownGroups().find((group) => group.id === id)

/** Adds a group to record for, or renames it. A key that is here stays. */
export const rememberGroup = ({ id, name, publicKey }: KnownGroup): void =>
  put({ ...knownAs(id), id, name, publicKey })

/** Adds a group whose key was made here, and which exists nowhere else yet: it stays until a copy is proved. */
export const rememberNewKey = ({ id, name }: KnownGroup, { publicKey, privateKey }: GroupKeys): void =>
  put({ id, name, publicKey, key: encodeKey(privateKey) })

/** Adds a group whose key somebody brought, so that there is a copy. It outlives the tab only with `keepKey`. */
export function rememberKey({ id, name }: KnownGroup, keys: GroupKeys, keepKey: boolean): void {
  untilClosed.set(id, keys)
  const known = knownAs(id)
  // What was made here and never saved may have been pasted from this very screen.
  const isLastCopy = known?.key !== undefined && !known.hasCopy
  const { publicKey } = keys
  if (isLastCopy) put({ ...known, name })
  else put({ id, name, publicKey, hasCopy: true, ...(keepKey && { key: encodeKey(keys.privateKey) }) })
}

/** So many of a key's last characters prove a copy. */
export const PROOF_LENGTH = 4

/**
 * Takes somebody's proof that there is a copy of a group's key: its last four characters or all of it, as a key file
 * has it. Then the key is removed from this device, unless it is to be kept.
 *
 * @returns false where it proves nothing
 */
export function proveCopy(id: GroupId, proof: string, keepKey: boolean): boolean {
  const known = knownAs(id)
  if (known?.key === undefined) return false
  const parsed = parseKey(proof)
  const whole =
    typeof parsed === 'object' && parsed.kind === 'group' ? encodeKey(parsed.privateKey) : undefined
  const isEnd = proof.trim() === known.key.slice(-PROOF_LENGTH)
  if (!isEnd && whole !== known.key) return false
  put({ ...known, hasCopy: true })
  if (!keepKey) forgetKey(id)
  return true
}

/** Removes the key from this device, which can still record for the group. Never the last copy. */
export function forgetKey(id: GroupId): void {
  const known = knownAs(id)
  if (!known?.hasCopy) return
  untilClosed.delete(id)
  const { key: _gone, ...without } = known
  put(without)
}

/** Both keys of a group, where this device or this tab still has the one that opens. */
export function groupWithKey(id: GroupId): GroupKeys | undefined {
  const known = knownAs(id)
  const kept = known?.key === undefined ? undefined : parseKey(known.key)
  if (!known || typeof kept !== 'object' || kept.kind !== 'group') return untilClosed.get(id)
  return { publicKey: known.publicKey, privateKey: kept.privateKey }
}

/** Where the key of a group is. */
export function placeOfKey(id: GroupId): KeyPlace {
  const known = knownAs(id)
  if (known?.key !== undefined) return known.hasCopy ? 'kept' : 'only-here'
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
