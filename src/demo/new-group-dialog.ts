import type { Group } from '../api.ts'
import { newGroup } from '../group.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { encodeKey, keyFile } from './group-key.ts'
import { knownGroups, rememberGroup } from './group-store.ts'
import { copyText, download } from './hand-out.ts'

/** Shows a fresh key and lets the person take it away and decide where it is kept. */
export async function createGroup(): Promise<Group | undefined> {
  const name = byId('new-group-name', HTMLInputElement)
  const keep = byId('new-group-keep', HTMLInputElement)
  const error = byId('new-group-error', HTMLElement)
  const group = newGroup()
  let takenAway = false

  const nameOrDefault = () => name.value.trim() || name.placeholder
  name.value = ''
  name.placeholder = `Group ${knownGroups().length + 1}`
  keep.checked = true
  setText(error, '')
  setText(byId('new-group-key', HTMLOutputElement), encodeKey(group.secret))

  // A key that is neither kept nor taken away would lock everyone out for good.
  const accept = () => {
    const safe = keep.checked || takenAway
    setText(
      error,
      safe ? '' : 'Copy or download the key first: it is not kept here, and nobody could open it.',
    )
    return safe
  }
  const clicks = {
    async 'new-group-copy'(button: HTMLElement) {
      if (await copyText(encodeKey(group.secret), button)) takenAway = true
    },
    'new-group-download'() {
      downloadKey(nameOrDefault(), group)
      takenAway = true
    },
  }
  if ((await openDialog(byId('new-group', HTMLDialogElement), { accept, clicks })) !== 'done')
    return undefined
  rememberGroup(nameOrDefault(), group, keep.checked)
  return group
}

/** Saves a key file for a group. */
export const downloadKey = (name: string, group: Group) =>
  download(
    new Blob([keyFile(name, group)], { type: 'text/plain' }),
    `holdfast-key-${group.id.slice(2, 10)}.txt`,
  )
