import type { Group } from '../api.ts'
import { isGroupId } from '../protocol/ids.ts'
import { announce } from './announce.ts'
import { byId, h, setAttributes } from './dom.ts'
import { chooseGroup, chosenGroup, knownGroups } from './group-store.ts'
import { groupWithKeyOrAsk, joinGroup, showKey } from './key-dialogs.ts'
import { createGroup } from './new-group-dialog.ts'

/** Shows the groups and their dialogs. */
export function showGroupPicker(): void {
  const select = byId('group-select', HTMLSelectElement)
  select.addEventListener('change', () => {
    if (isGroupId(select.value)) chooseGroup(select.value)
    drawGroups()
  })
  byId('group-create', HTMLButtonElement).addEventListener('click', () => void adopt(createGroup()))
  byId('group-join', HTMLButtonElement).addEventListener('click', () => void adopt(joinGroup()))
  byId('group-key', HTMLButtonElement).addEventListener('click', () => {
    const group = chosenGroup()
    if (group) void showKey(group)
  })
  drawGroups()
}

/** The group to record for, with its key: asks for whatever is missing; undefined if the person gives up. */
export async function groupToRecordFor(): Promise<Group | undefined> {
  const known = chosenGroup()
  if (!known) return adopt(createGroup())
  return groupWithKeyOrAsk(
    known,
    'Recordings are encrypted for the group. Its key is not kept on this device.',
  )
}

async function adopt(asked: Promise<Group | undefined>): Promise<Group | undefined> {
  const group = await asked
  if (!group) return undefined
  chooseGroup(group.id)
  drawGroups()
  announce(`Recording for ${chosenGroup()?.name ?? 'the new group'}`)
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
  setAttributes(byId('group-create', HTMLElement), { class: known.length === 0 ? 'primary' : undefined })
}
