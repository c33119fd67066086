import type { Group } from '../api.ts'
import type { GroupKeys } from '../group.ts'
import { isGroupId, isSha256Hex, type GroupId } from '../protocol/ids.ts'
import { encodeKey, parseKey } from './group-key.ts'
import { deleteKey, readKey, writeKey } from './key-files.ts'
import { askToKeep } from './protection.ts'

/** A group that this device knows: enough to record for it. */
export interface KnownGroup extends Group {
  readonly id: GroupId
  readonly name: string
  /** The group key as text, where a file cannot have it, and of older versions: `loadKeys` moves it into one. */
  readonly key?: string
  /** A file has the group key: it opens the recordings, and is here only until a copy is proved, or by choice. */
  readonly hasKey?: boolean
  /** Somebody has proved that there is a copy of the key elsewhere: only then can it be removed here. */
  readonly hasCopy?: boolean
}

/** Where the key of a group is: on this device and, as far as is known, nowhere else; on this device too, in this tab until it closes, or somewhere else. */
export type KeyPlace = 'only-here' | 'kept' | 'tab' | 'elsewhere'

const GROUPS = 'holdfast-demo-groups'
const CHOSEN = 'holdfast-demo-group'

/** Keys that were typed in but not kept: they go with the tab. */
const untilClosed = new Map<GroupId, GroupKeys>()

/** Keys that this device keeps, as text. */
const kept = new Map<GroupId, string>()

function parseGroup(value: unknown): KnownGroup[] {
  if (typeof value !== 'object' || value === null) return []
  const { id, name, publicKey, key, hasKey, hasCopy } = value as Readonly<Record<string, unknown>>
  if (!isGroupId(id) || typeof name !== 'string' || !isSha256Hex(publicKey)) return []
  return [
    {
      id,
      name,
      publicKey,
      ...(typeof key === 'string' && { key }),
      ...(hasKey === true && { hasKey }),
      ...(hasCopy === true && { hasCopy }),
    },
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
  addEventListener('storage', () => void loadKeys().then(draw))
}

/** Reads the keys that this device keeps: until then it seems to have none. */
export async function loadKeys(): Promise<void> {
  for (const group of knownGroups()) {
    const { id, key, hasKey } = group
    const text = key ?? (hasKey ? await readKey(id) : undefined)
    if (text === undefined) kept.delete(id)
    else kept.set(id, text)
    // An older version had it with the groups.
    if (key !== undefined) await keepKey(group, key)
  }
}

/** The group's entry comes, or changes, only once the key is kept. */
async function keepKey(group: KnownGroup, text: string): Promise<void> {
  const { id } = group
  const isFile = await writeKey(id, text)
  kept.set(id, text)
  const { key: _key, hasKey: _hasKey, ...without } = knownAs(id) ?? group
  put({ ...without, ...(isFile ? { hasKey: true } : { key: text }) })
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

/**
 * Adds a group whose key was made here, and which exists nowhere else yet: it stays until a copy is proved. The browser is
 * asked before that not to clear it; whatever it answers, which may take long, the key is kept.
 */
export async function rememberNewKey(
  { id, name }: KnownGroup,
  { publicKey, privateKey }: GroupKeys,
): Promise<void> {
  void askToKeep()
  await keepKey({ id, name, publicKey }, encodeKey(privateKey))
}

/** Adds a group whose key somebody brought, so that there is a copy. It outlives the tab only with `isToStay`. */
export async function rememberKey(
  { id, name }: KnownGroup,
  keys: GroupKeys,
  isToStay: boolean,
): Promise<void> {
  untilClosed.set(id, keys)
  const known = knownAs(id)
  // What was made here and never saved may have been pasted from this very screen.
  if (known && kept.has(id) && !known.hasCopy) return put({ ...known, name })
  const { publicKey } = keys
  const entry = { ...known, id, name, publicKey, hasCopy: true }
  put(entry)
  if (isToStay) await keepKey(entry, encodeKey(keys.privateKey))
  else await removeKept(id)
}

/** So many of a key's last characters prove a copy. */
const PROOF_LENGTH = 4

/**
 * Takes somebody's proof that there is a copy of a group's key: its last four characters or all of it, as a key file
 * has it. Then the key is removed from this device, unless it is to be kept.
 *
 * @returns false where it proves nothing
 */
export async function proveCopy(id: GroupId, proof: string, isToStay: boolean): Promise<boolean> {
  const known = knownAs(id)
  const text = kept.get(id)
  if (!known || text === undefined) return false
  const parsed = parseKey(proof)
  const whole =
    typeof parsed === 'object' && parsed.kind === 'group' ? encodeKey(parsed.privateKey) : undefined
  const isEnd = proof.trim() === text.slice(-PROOF_LENGTH)
  if (!isEnd && whole !== text) return false
  put({ ...known, hasCopy: true })
  if (!isToStay) await forgetKey(id)
  return true
}

/** Removes the key from this device, which can still record for the group. Never the last copy. */
export async function forgetKey(id: GroupId): Promise<void> {
  if (!knownAs(id)?.hasCopy) return
  untilClosed.delete(id)
  await removeKept(id)
}

/** The entry changes once the file is gone, so that nobody is told of less than there is. */
async function removeKept(id: GroupId): Promise<void> {
  const isGone = await deleteKey(id)
  const known = knownAs(id)
  if (!known || (known.hasKey && !isGone)) return
  kept.delete(id)
  const { key: _key, hasKey: _hasKey, ...without } = known
  put(without)
}

/** Both keys of a group, where this device or this tab still has the one that opens. */
export function groupWithKey(id: GroupId): GroupKeys | undefined {
  const known = knownAs(id)
  const parsed = parseKey(kept.get(id) ?? '')
  if (!known || typeof parsed !== 'object' || parsed.kind !== 'group') return untilClosed.get(id)
  return { publicKey: known.publicKey, privateKey: parsed.privateKey }
}

/** Where the key of a group is. */
export function placeOfKey(id: GroupId): KeyPlace {
  if (kept.has(id)) return knownAs(id)?.hasCopy ? 'kept' : 'only-here'
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
