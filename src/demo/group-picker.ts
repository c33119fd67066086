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
  type KnownGroup,
} from './group-store.ts'
import { joinGroup, showKeys } from './key-dialogs.ts'
import { createGroup, makeGroup } from './new-group-dialog.ts'
import { mayBeCleared, watchProtection } from './protection.ts'
import { texts } from './texts.ts'

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
  watchProtection(drawGroups)
  drawGroups()
}

/** Whom to record for, which needs no more than a public key: a new group where there is none. */
export async function groupsToRecordFor(): Promise<readonly Group[] | undefined> {
  const group = chosenGroup() ?? (await adopt(makeGroup()))
  return group && [{ publicKey: group.publicKey }]
}

async function adopt(asked: Promise<KnownGroup | undefined>): Promise<KnownGroup | undefined> {
  const group = await asked
  if (!group) return undefined
  chooseGroup(group.id)
  announce(`${texts.keys.recordingFor(group.name)} ${holdsWords(group)}`)
  return group
}

/** Where the key is and, where the only one may be cleared by the browser, that it may. */
function holdsWords({ id }: KnownGroup): string {
  const place = placeOfKey(id)
  return place === 'only-here' && mayBeCleared() ? texts.keys.holdsAtRisk : texts.keys.holds[place]
}

function drawGroups(): void {
  const known = knownGroups()
  const chosen = chosenGroup()
  byId('group-picker', HTMLElement).dataset['drawn'] = 'true'
  const options = known.map(({ id, name }) =>
    h('option', { value: id, selected: id === chosen?.id }, `${name} · ${id.slice(2, 8)}`),
  )
  byId('group-select', HTMLSelectElement).replaceChildren(...options)
  byId('group-field', HTMLElement).hidden = known.length === 0
  byId('group-key', HTMLElement).hidden = known.length === 0
  byId('group-empty', HTMLElement).hidden = known.length > 0
  const holds = byId('group-holds', HTMLElement)
  holds.hidden = chosen === undefined
  setText(holds, chosen ? holdsWords(chosen) : '')
  setText(
    byId('group-key', HTMLElement),
    chosen && placeOfKey(chosen.id) === 'only-here' ? texts.keys.save : texts.keys.keys,
  )
  setAttributes(byId('group-key', HTMLElement), {
    class: chosen && placeOfKey(chosen.id) === 'only-here' ? 'primary' : undefined,
  })
  setAttributes(holds, { 'data-key': chosen && placeOfKey(chosen.id) })
  setAttributes(byId('group-create', HTMLElement), { class: known.length === 0 ? 'primary' : undefined })
}
