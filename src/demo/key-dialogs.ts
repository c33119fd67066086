import type { Group } from '../api.ts'
import { groupOf } from '../group.ts'
import { openDialog } from './dialog.ts'
import { byId, setAttributes, setText } from './dom.ts'
import { encodeKey, parseKey } from './group-key.ts'
import { forgetKey, groupWithKey, knownGroups, rememberGroup, type KnownGroup } from './group-store.ts'
import { copyText } from './hand-out.ts'
import { downloadKey } from './new-group-dialog.ts'

interface Question {
  readonly title: string
  readonly why: string
  readonly done: string
  /** The group that the key must open; without one, any group may be joined. */
  readonly wanted?: Pick<KnownGroup, 'id' | 'name'>
}

/** Lets the person paste the key of a group that this device does not know yet. */
export const joinGroup = (): Promise<Group | undefined> =>
  askForKey({
    title: 'Join a group',
    why: 'Paste the key that a member of the group gave you, or the text of its key file.',
    done: 'Join group',
  })

/** The group with its key: from this device or, failing that, asked for. */
export async function groupWithKeyOrAsk(wanted: Pick<KnownGroup, 'id' | 'name'>, why: string) {
  return (
    groupWithKey(wanted.id) ?? askForKey({ title: `Key of “${wanted.name}”`, why, done: 'Use key', wanted })
  )
}

async function askForKey({ title, why, done, wanted }: Question): Promise<Group | undefined> {
  const dialog = byId('key-entry', HTMLDialogElement)
  const name = byId('key-entry-name', HTMLInputElement)
  const key = byId('key-entry-key', HTMLTextAreaElement)
  const keep = byId('key-entry-keep', HTMLInputElement)
  let group: Group | undefined

  setText(byId('key-entry-title', HTMLElement), title)
  setText(byId('key-entry-why', HTMLElement), why)
  setText(byId('key-entry-error', HTMLElement), '')
  for (const submit of dialog.querySelectorAll('button[type=submit]')) setText(submit, done)
  byId('key-entry-name-field', HTMLElement).hidden = wanted !== undefined
  name.value = ''
  name.placeholder = `Group ${knownGroups().length + 1}`
  key.value = ''
  keep.checked = wanted === undefined
  setAttributes(key, { 'aria-invalid': undefined })

  const accept = () => {
    const answer = read(key.value, wanted)
    group = typeof answer === 'string' ? undefined : answer
    setText(byId('key-entry-error', HTMLElement), typeof answer === 'string' ? answer : '')
    setAttributes(key, { 'aria-invalid': group ? undefined : 'true' })
    if (!group) key.focus()
    return group !== undefined
  }
  if ((await openDialog(dialog, { accept })) !== 'done' || !group) return undefined
  const known = knownGroups().find(({ id }) => id === group?.id)
  rememberGroup(wanted?.name ?? (name.value.trim() || known?.name || name.placeholder), group, keep.checked)
  return group
}

function read(pasted: string, wanted: Question['wanted']): Group | string {
  const secret = parseKey(pasted)
  if (typeof secret === 'string') return secret
  const group = groupOf(secret)
  return wanted && group.id !== wanted.id
    ? `This is the key of another group. Look for the key of “${wanted.name}”, id ${wanted.id.slice(0, 10)}….`
    : group
}

/** Shows the key of a group again, to take away or to remove from this device. */
export async function showKey(known: KnownGroup): Promise<void> {
  const group = await groupWithKeyOrAsk(known, 'It is not kept on this device.')
  if (!group) return
  const kept = knownGroups().some(({ id, key }) => id === known.id && key !== undefined)
  setText(byId('show-key-title', HTMLElement), `Key of “${known.name}”`)
  setText(byId('show-key-key', HTMLOutputElement), encodeKey(group.secret))
  setText(
    byId('show-key-kept', HTMLElement),
    kept
      ? 'Kept on this device: someone holding it unlocked could open the recordings.'
      : 'Not kept on this device: forgotten when this tab closes.',
  )
  const clicks = {
    'show-key-copy': (button: HTMLElement) => void copyText(encodeKey(group.secret), button),
    'show-key-download': () => downloadKey(known.name, group),
  }
  const answer = await openDialog(byId('show-key', HTMLDialogElement), { clicks })
  if (answer === 'forget') forgetKey(known.id)
}
