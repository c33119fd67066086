import { beforeEach, describe, expect, it, vi } from 'vitest'
import { groupIdOf, newGroup, type GroupKeys } from '../group.ts'
import type { GroupId } from '../protocol/ids.ts'
import { encodeKey } from './group-key.ts'
import {
  chosenGroup,
  forgetKey,
  groupWithKey,
  knownGroups,
  loadKeys,
  placeOfKey,
  rememberGroup,
  proveCopy,
  rememberKey,
  rememberNewKey,
  type KnownGroup,
} from './group-store.ts'

let stored: Map<string, string>
/** What deletes leaves nothing behind. */
let files: Map<string, string>
let keys: GroupKeys
let group: KnownGroup

function stubStorage(): void {
  vi.stubGlobal('navigator', {})
  vi.stubGlobal('caches', {
    open: async () => ({
      put: async (address: string, response: Response) => void files.set(address, await response.text()),
      match: async (address: string) => (files.has(address) ? new Response(files.get(address)) : undefined),
      delete: async (address: string) => files.delete(address),
    }),
  })
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, value: string) => void stored.set(name, value),
  })
}

beforeEach(async () => {
  stored = new Map()
  files = new Map()
  stubStorage()
  keys = await newGroup()
  group = { id: await groupIdOf(keys), name: 'Neighbours', publicKey: keys.publicKey }
})

const onDisk = () => [...stored.values(), ...files.values()].join()

describe('the groups that a device knows', () => {
  it('keep the key where the person chose to, in a file that can be deleted', async () => {
    await rememberKey(group, keys, true)
    expect(groupWithKey(group.id)).toEqual(keys)
    expect(placeOfKey(group.id)).toBe('kept')
    expect([...files.values()]).toEqual([encodeKey(keys.privateKey)])
    expect([...stored.values()].join()).not.toContain(encodeKey(keys.privateKey))
  })

  it('keep the public part alone where not: the key goes with the tab', async () => {
    await rememberKey(group, keys, false)
    expect(onDisk()).not.toContain(encodeKey(keys.privateKey))
    expect(placeOfKey(group.id)).toBe('tab')
    expect(groupWithKey(group.id)).toEqual(keys)
    expect(chosenGroup()).toEqual({ ...group, hasCopy: true })
  })

  it('can be recorded for without a key', () => {
    rememberGroup(group)
    expect(placeOfKey(group.id)).toBe('elsewhere')
    expect(groupWithKey(group.id)).toBeUndefined()
    expect(chosenGroup()?.publicKey).toBe(keys.publicKey)
  })

  it('lose no key to a recording key that is pasted later', async () => {
    await rememberKey(group, keys, true)
    rememberGroup({ ...group, name: 'Renamed' })
    expect(placeOfKey(group.id)).toBe('kept')
    expect(groupWithKey(group.id)).toEqual(keys)
    expect(knownGroups().map(({ name }) => name)).toEqual(['Renamed'])
  })

  it('forget a key, and can still be recorded for', async () => {
    const other = await newGroup()
    const otherId = await groupIdOf(other)
    await rememberKey(group, keys, true)
    await rememberKey({ id: otherId, name: 'Others', publicKey: other.publicKey }, other, true)
    await forgetKey(group.id)
    expect(groupWithKey(group.id)).toBeUndefined()
    expect(onDisk()).not.toContain(encodeKey(keys.privateKey))
    expect(knownGroups()[0]).toEqual({ ...group, hasCopy: true })
    expect(groupWithKey(otherId)).toEqual(other)
  })

  it('leave the keys of another version where they are', async () => {
    const old = { id: `0x${'ab'.repeat(32)}`, name: 'Old', key: 'A'.repeat(43) }
    stored.set('holdfast-demo-groups', JSON.stringify([old]))
    await rememberKey(group, keys, true)
    await forgetKey(group.id)
    expect(JSON.parse([...stored.values()].join())).toEqual([old, { ...group, hasCopy: true }])
    expect(chosenGroup()?.id).toBe(group.id)
  })

  it('keep a key that was made here until a copy of it is proved', async () => {
    await rememberNewKey(group, keys)
    const key = encodeKey(keys.privateKey)
    const isHere = () => onDisk().includes(key)
    expect(placeOfKey(group.id)).toBe('only-here')
    await forgetKey(group.id)
    // Pasted from this very screen, and not to be kept.
    await rememberKey(group, keys, false)
    for (const wrong of ['', key.slice(-3), key.slice(0, 4), 'A'.repeat(43), '0000'])
      expect(await proveCopy(group.id, wrong, false)).toBe(false)
    expect(isHere()).toBe(true)
    expect(placeOfKey(group.id)).toBe('only-here')
    expect(await proveCopy(group.id, ` ${key.slice(-4)} `, false)).toBe(true)
    expect(isHere()).toBe(false)
    expect(placeOfKey(group.id)).toBe('elsewhere')
  })

  it.each([
    ['its last four characters', (key: string) => key.slice(-4)],
    ['its key file', (key: string) => `Holdfast group key\n\nKey: ${key}\nGroup id (public): 0x\n`],
  ])('keep a key by choice, once a copy is proved by %s', async (_, proof) => {
    await rememberNewKey(group, keys)
    expect(await proveCopy(group.id, proof(encodeKey(keys.privateKey)), true)).toBe(true)
    expect(placeOfKey(group.id)).toBe('kept')
    await forgetKey(group.id)
    expect(placeOfKey(group.id)).toBe('elsewhere')
  })

  it('are said to keep a key for as long as its file cannot be deleted', async () => {
    await rememberNewKey(group, keys)
    vi.stubGlobal('caches', { open: () => Promise.reject(new DOMException('No', 'UnknownError')) })
    expect(await proveCopy(group.id, encodeKey(keys.privateKey).slice(-4), false)).toBe(true)
    expect(placeOfKey(group.id)).toBe('kept')
    stubStorage()
    await forgetKey(group.id)
    expect(placeOfKey(group.id)).toBe('elsewhere')
    expect(onDisk()).not.toContain(encodeKey(keys.privateKey))
  })

  it('forget a key where there are no files, too', async () => {
    vi.stubGlobal('caches', undefined)
    await rememberKey(group, keys, true)
    expect(placeOfKey(group.id)).toBe('kept')
    await forgetKey(group.id)
    expect(placeOfKey(group.id)).toBe('elsewhere')
    expect(onDisk()).not.toContain(encodeKey(keys.privateKey))
  })

  it('have what an older version kept with them moved into a file, and nothing lost where there are no files', async () => {
    const key = encodeKey(keys.privateKey)
    stored.set('holdfast-demo-groups', JSON.stringify([{ ...group, key }]))
    vi.stubGlobal('caches', undefined)
    await loadKeys()
    expect(placeOfKey(group.id)).toBe('only-here')
    expect(onDisk()).toContain(key)
    vi.unstubAllGlobals()
    stubStorage()
    await loadKeys()
    expect(groupWithKey(group.id)).toEqual(keys)
    expect([...files.values()]).toEqual([key])
    expect([...stored.values()].join()).not.toContain(key)
    // As another tab finds it, and after the file was cleared.
    files.clear()
    await loadKeys()
    expect(placeOfKey(group.id)).toBe('elsewhere')
  })

  it.each([
    ['of another version', [{ id: `0x${'ab'.repeat(32)}`, name: 'Old', key: 'A'.repeat(43) }]],
    ['without a name', [{ id: `0x${'ab'.repeat(32)}` as GroupId, publicKey: 'ab'.repeat(32) }]],
    ['that are none', ['text', null, 7]],
    ['that are no list', {}],
  ])('leave out entries %s', (_, value) => {
    stored.set('holdfast-demo-groups', JSON.stringify(value))
    expect(knownGroups()).toEqual([])
  })
})
