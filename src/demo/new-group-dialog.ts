import { groupIdOf, newGroup, type GroupKeys } from '../group.ts'
import type { GroupId } from '../protocol/ids.ts'
import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { explain } from './explain.ts'
import { encodeKey, keyFile } from './group-key.ts'
import { knownGroups, rememberKey, type KnownGroup } from './group-store.ts'
import { copyText, download } from './hand-out.ts'

/** Shows a fresh key and lets the person take it away and decide where it is kept. */
export async function createGroup(): Promise<KnownGroup | undefined> {
  const name = byId('new-group-name', HTMLInputElement)
  const keep = byId('new-group-keep', HTMLInputElement)
  const error = byId('new-group-error', HTMLElement)
  const key = byId('new-group-key', HTMLOutputElement)
  // Opened at once, so that nothing else can be pressed meanwhile.
  const making = makeGroup()
  let isOpen = true
  let group: KnownGroup | undefined
  let takenAway = false

  const nameOrDefault = () => name.value.trim() || name.placeholder
  name.value = ''
  name.placeholder = `Group ${knownGroups().length + 1}`
  keep.checked = true
  setText(error, '')
  setText(key, '')
  // Cancelled meanwhile, it must not show its key in a dialog that was opened since.
  const orSayWhy = (work: (made: Made) => void | Promise<void>) =>
    making
      .then((made) => (isOpen ? work(made) : undefined))
      .catch((thrown: unknown) => {
        const { what, next } = explain(thrown)
        if (isOpen) setText(error, `${what} ${next}`)
      })
  void orSayWhy(({ keys }) => setText(key, encodeKey(keys.privateKey)))

  const accept = async () => {
    await orSayWhy(({ keys, id }) => {
      // A key that is neither kept nor taken away would lock everyone out for good.
      if (!keep.checked && !takenAway)
        return setText(
          error,
          'Copy or download the key first: it is not kept here, and nobody could open the recordings.',
        )
      group = { id, name: nameOrDefault(), publicKey: keys.publicKey }
      rememberKey(group, keys, keep.checked)
    })
    return group !== undefined
  }
  const clicks = {
    'new-group-copy': (button: HTMLElement) =>
      void orSayWhy(async ({ keys }) => {
        if (await copyText(encodeKey(keys.privateKey), button)) takenAway = true
      }),
    'new-group-download': () =>
      void orSayWhy(({ keys, id }) => {
        downloadKey(nameOrDefault(), keys, id)
        takenAway = true
      }),
  }
  const answer = await openDialog(byId('new-group', HTMLDialogElement), { accept, clicks })
  isOpen = false
  setText(key, '')
  return answer === 'done' ? group : undefined
}

interface Made {
  readonly keys: GroupKeys
  readonly id: GroupId
}

async function makeGroup(): Promise<Made> {
  const keys = await newGroup()
  return { keys, id: await groupIdOf(keys) }
}

/** Saves a key file for a group. */
export const downloadKey = (name: string, keys: GroupKeys, id: GroupId) =>
  download(new Blob([keyFile(name, keys, id)], { type: 'text/plain' }), `holdfast-key-${id.slice(2, 10)}.txt`)
