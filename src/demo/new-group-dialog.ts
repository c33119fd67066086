import { groupIdOf, newGroup, type GroupKeys } from '../group.ts'
import type { GroupId } from '../protocol/ids.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { explain } from './explain.ts'
import { keyFile } from './group-key.ts'
import { knownGroups, rememberNewKey, type KnownGroup } from './group-store.ts'
import { download } from './hand-out.ts'
import { texts } from './texts.ts'

const nextName = () => texts.keys.groupNumber(knownGroups().length + 1)

/** Makes a group at once: who wants to record must not be kept waiting. Its key stays here until a copy is proved. */
export async function makeGroup(name: string = nextName()): Promise<KnownGroup> {
  const keys = await newGroup()
  const group = { id: await groupIdOf(keys), name, publicKey: keys.publicKey }
  await rememberNewKey(group, keys)
  return group
}

/** Asks for the name of a new group. */
export async function createGroup(): Promise<KnownGroup | undefined> {
  const name = byId('new-group-name', HTMLInputElement)
  const error = byId('new-group-error', HTMLElement)
  let group: KnownGroup | undefined
  name.value = ''
  name.placeholder = nextName()
  setText(error, '')
  const accept = async () => {
    try {
      group ??= await makeGroup(name.value.trim() || undefined)
    } catch (thrown) {
      const { what, next } = explain(thrown)
      setText(error, `${what} ${next}`)
    }
    return group !== undefined
  }
  await openDialog(byId('new-group', HTMLDialogElement), { accept })
  return group
}

/** Saves a key file for a group. */
export const downloadKey = (name: string, keys: GroupKeys, id: GroupId) =>
  download(new Blob([keyFile(name, keys, id)], { type: 'text/plain' }), `holdfast-key-${id.slice(2, 10)}.txt`)
