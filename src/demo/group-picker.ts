import type { Group } from '../api.ts'
import { isGroupId } from '../protocol/ids.ts'
import { announce } from './announce.ts'
import { byId, h, setAttributes, setText } from './dom.ts'
import {
  chooseGroup,
  chosenGroup,
  knownGroups,
  placeOfKey,
  watchGroups,
  type KeyPlace,
  type KnownGroup,
} from './group-store.ts'
import { joinGroup, showKeys } from './key-dialogs.ts'
import { createGroup } from './new-group-dialog.ts'

/** What this device can do for the chosen group, by where the group's key is. */
const HOLDS: Readonly<Record<KeyPlace, string>> = {
  kept: 'This device records and opens. To record, it needs only the public part.',
  tab: 'This device records, and opens until this tab closes. To record, it needs only the public part.',
  elsewhere: 'This device records only: it has the public part, which cannot open what it recorded.',
}

/** Shows the groups and their dialogs. */
export function showGroupPicker(): void {
  const select = byId('group-select', HTMLSelectElement)
  select.addEventListener('change', () => {
    if (isGroupId(select.value)) chooseGroup(select.value)
  })
  byId('group-create', HTMLButtonElement).addEventListener('click', () => void adopt(createGroup()))
  byId('group-join', HTMLButtonElement).addEventListener('click', () => void adopt(joinGroup()))
  byId('group-key', HTMLButtonElement).addEventListener('click', () => {
    const group = chosenGroup()
    if (group) void showKeys(group)
  })
  watchGroups(drawGroups)
  drawGroups()
}

/** The group to record for, which needs no more than its public key; undefined if the person makes none. */
export const groupToRecordFor = async (): Promise<Group | undefined> => chosenGroup() ?? adopt(createGroup())

async function adopt(asked: Promise<KnownGroup | undefined>): Promise<KnownGroup | undefined> {
  const group = await asked
  if (!group) return undefined
  chooseGroup(group.id)
  announce(`Recording for ${group.name}. ${HOLDS[placeOfKey(group.id)]}`)
  return group
}

function drawGroups(): void {
  const known = knownGroups()
  const chosen = chosenGroup()
  const options = known.map(({ id, name }) =>
    h('option', { value: id, selected: id === chosen?.id }, `${name} · ${id.slice(2, 8)}`),
  )
  byId('group-select', HTMLSelectElement).replaceChildren(...options)
  byId('group-field', HTMLElement).hidden = known.length === 0
  byId('group-key', HTMLElement).hidden = known.length === 0
  byId('group-empty', HTMLElement).hidden = known.length > 0
  const holds = byId('group-holds', HTMLElement)
  holds.hidden = chosen === undefined
  setText(holds, chosen ? HOLDS[placeOfKey(chosen.id)] : '')
  setAttributes(holds, { 'data-key': chosen && placeOfKey(chosen.id) })
  setAttributes(byId('group-create', HTMLElement), { class: known.length === 0 ? 'primary' : undefined })
}
