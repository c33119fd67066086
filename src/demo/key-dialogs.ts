import { groupIdOf, groupOf, type GroupKeys } from '../group.ts'
import { openDialog } from './dialog.ts'
import { byId, setAttributes, setText } from './dom.ts'
import { explain } from './explain.ts'
import { encodeKey, encodeRecordingKey, parseKey } from './group-key.ts'
import {
  forgetKey,
  groupWithKey,
  knownGroups,
  placeOfKey,
  proveCopy,
  rememberGroup,
  rememberKey,
  type KnownGroup,
} from './group-store.ts'
import { copyText } from './hand-out.ts'
import { announce } from './announce.ts'
import { mayBeCleared } from './protection.ts'
import { qrCode } from './qr-code.ts'
import { readerLink } from './reader-link.ts'
import { texts } from './texts.ts'
import { downloadKey } from './new-group-dialog.ts'

type Named = Pick<KnownGroup, 'id' | 'name'>

interface Question {
  readonly title: string
  readonly why: string
  readonly label: string
  readonly done: string
  /** The group that the key must open; without one, any group may be joined, to record for it alone, too. */
  readonly wanted?: Named
}

/** What was pasted: a group, and its key where that was pasted. */
interface Answer {
  readonly group: KnownGroup
  readonly keys: GroupKeys | undefined
}

/** Lets the person paste a key of a group: to record for it, or to open its recordings as well. */
export async function joinGroup(): Promise<KnownGroup | undefined> {
  const answer = await askForKey({
    title: texts.keys.joinTitle,
    why: texts.keys.joinWhy,
    label: texts.keys.joinLabel,
    done: texts.keys.joinDone,
  })
  return answer?.group
}

/** The group with its key: from this device or, failing that, asked for. */
export async function groupWithKeyOrAsk(wanted: Named, why: string): Promise<GroupKeys | undefined> {
  const here = groupWithKey(wanted.id)
  if (here) return here
  const { keyOf, keyLabel: label, use: done } = texts.keys
  const answer = await askForKey({ title: keyOf(wanted.name), why, label, done, wanted })
  return answer?.keys
}

async function askForKey({ title, why, label, done, wanted }: Question): Promise<Answer | undefined> {
  const dialog = byId('key-entry', HTMLDialogElement)
  const name = byId('key-entry-name', HTMLInputElement)
  const key = byId('key-entry-key', HTMLTextAreaElement)
  const keep = byId('key-entry-keep', HTMLInputElement)
  let answer: Answer | undefined

  setText(byId('key-entry-title', HTMLElement), title)
  setText(byId('key-entry-why', HTMLElement), why)
  setText(byId('key-entry-label', HTMLElement), label)
  setText(byId('key-entry-error', HTMLElement), '')
  for (const submit of dialog.querySelectorAll('button[type=submit]')) setText(submit, done)
  byId('key-entry-name-field', HTMLElement).hidden = wanted !== undefined
  name.value = ''
  name.placeholder = texts.keys.groupNumber(knownGroups().length + 1)
  key.value = ''
  keep.checked = false
  setAttributes(key, { 'aria-invalid': undefined })

  const onInput = () => {
    const parsed = parseKey(key.value)
    const kind = typeof parsed === 'string' ? undefined : parsed.kind
    setText(byId('key-entry-kind', HTMLElement), wanted || !kind ? '' : texts.keys.lets[kind])
    byId('key-entry-keep-field', HTMLElement).hidden = kind === 'recording'
  }
  const accept = async () => {
    const read = await readKey(key.value, wanted).catch((thrown: unknown) => explain(thrown).what)
    const complaint = typeof read === 'string' ? read : ''
    answer = typeof read === 'string' ? undefined : read
    setText(byId('key-entry-error', HTMLElement), complaint)
    setAttributes(key, { 'aria-invalid': answer ? undefined : 'true' })
    if (!answer) key.focus()
    return answer !== undefined
  }
  const pressed = await openDialog(dialog, { accept, onInput })
  key.value = ''
  if (pressed !== 'done' || !answer) return undefined
  const { group, keys } = answer
  const known = knownGroups().find(({ id }) => id === group.id)
  const named = { ...group, name: wanted?.name ?? (name.value.trim() || known?.name || name.placeholder) }
  if (keys) await rememberKey(named, keys, keep.checked)
  else rememberGroup(named)
  return { group: named, keys }
}

/** What a pasted text is, or in words why it will not do. */
async function readKey(pasted: string, wanted: Named | undefined): Promise<Answer | string> {
  const parsed = parseKey(pasted)
  if (typeof parsed === 'string') return parsed
  if (parsed.kind === 'recording') {
    if (wanted) return texts.keys.opensNothing
    const { publicKey } = parsed
    return { group: { id: await groupIdOf(parsed), name: '', publicKey }, keys: undefined }
  }
  const keys = await groupOf(parsed.privateKey)
  const id = await groupIdOf(keys)
  return wanted && id !== wanted.id
    ? texts.keys.ofAnother(wanted.name, wanted.id.slice(0, 10))
    : { group: { id, name: '', publicKey: keys.publicKey }, keys }
}

/** Shows the keys of a group, to pass on, to enter or to remove from this device. */
export async function showKeys(known: KnownGroup): Promise<void> {
  const keys = groupWithKey(known.id)
  const recordingKey = encodeRecordingKey(known.publicKey)
  setText(byId('show-key-title', HTMLElement), texts.keys.keysOf(known.name))
  setText(byId('show-recording-key', HTMLOutputElement), recordingKey)
  const secret = byId('show-key-key', HTMLOutputElement)
  setText(secret, keys ? encodeKey(keys.privateKey) : '')
  secret.hidden = !keys
  const place = placeOfKey(known.id)
  const isAtRisk = place === 'only-here' && mayBeCleared()
  setText(
    byId('show-key-kept', HTMLElement),
    `${texts.keys.where[place]} ${isAtRisk ? texts.keys.whereAtRisk : ''}`.trim(),
  )
  for (const id of ['show-key-copy', 'show-key-download', 'show-reader-copy', 'show-reader-code'])
    byId(id, HTMLButtonElement).hidden = !keys
  byId('show-key-forget', HTMLButtonElement).hidden = place !== 'kept' && place !== 'tab'
  byId('show-key-prove', HTMLButtonElement).hidden = place !== 'only-here'
  byId('show-key-enter', HTMLButtonElement).hidden = keys !== undefined
  // One thing is to be done first: to prove a copy, where there is none.
  setAttributes(byId('show-key-done', HTMLElement), {
    class: place === 'only-here' ? undefined : 'primary',
  })
  showCode(undefined)
  const clicks = {
    'show-recording-copy': (button: HTMLElement) => void copyText(recordingKey, button),
    'show-key-copy': (button: HTMLElement) => void (keys && copyText(encodeKey(keys.privateKey), button)),
    'show-reader-copy': (button: HTMLElement) =>
      void (keys && copyText(readerLink(encodeKey(keys.privateKey)), button)),
    'show-reader-code': () => {
      const isShown = !byId('reader-code', HTMLElement).hidden
      showCode(keys && !isShown ? readerLink(encodeKey(keys.privateKey)) : undefined)
    },
    'show-key-download': () => keys && downloadKey(known.name, keys, known.id),
  }
  const answer = await openDialog(byId('show-key', HTMLDialogElement), { clicks })
  setText(secret, '')
  showCode(undefined)
  if (answer === 'forget' && (await confirmForget(known))) await forgetKey(known.id)
  if (answer === 'prove') await askForProof(known)
  if (answer === 'enter' && (await groupWithKeyOrAsk(known, texts.keys.enterWhy))) return showKeys(known)
}

/** The link to the reader, to be scanned: whoever sees it could open all, so it is not there unasked. */
function showCode(link: string | undefined): void {
  const toggle = byId('show-reader-code', HTMLButtonElement)
  const figure = byId('reader-code', HTMLElement)
  const picture = link === undefined ? [] : [qrCode(link, texts.keys.codeName)]
  byId('reader-code-picture', HTMLElement).replaceChildren(...picture)
  figure.hidden = link === undefined
  setText(toggle, link === undefined ? texts.keys.showCode : texts.keys.hideCode)
  setAttributes(toggle, { 'aria-expanded': String(link !== undefined) })
  if (link !== undefined) figure.scrollIntoView({ block: 'nearest' })
}

/** Has the person prove a copy of the key, which then goes from this device unless it is to be kept. */
async function askForProof({ id, name }: KnownGroup): Promise<void> {
  const typed = byId('prove-end', HTMLInputElement)
  const file = byId('prove-file', HTMLInputElement)
  const keep = byId('prove-keep', HTMLInputElement)
  const error = byId('prove-error', HTMLElement)
  setText(byId('prove-title', HTMLElement), texts.keys.proveTitle(name))
  setText(error, '')
  typed.value = file.value = ''
  keep.checked = false
  const accept = async () => {
    const proof = (await file.files?.[0]?.text()) ?? typed.value
    const isProved = await proveCopy(id, proof, keep.checked)
    setText(error, isProved ? '' : texts.keys.notProved)
    if (!isProved) typed.focus()
    return isProved
  }
  const answer = await openDialog(byId('prove-copy', HTMLDialogElement), { accept })
  if (answer === 'done') announce(texts.keys.where[placeOfKey(id)])
}

async function confirmForget({ name }: KnownGroup): Promise<boolean> {
  setText(byId('forget-key-title', HTMLElement), texts.keys.forgetTitle(name))
  return (await openDialog(byId('forget-key', HTMLDialogElement))) === 'forget'
}
