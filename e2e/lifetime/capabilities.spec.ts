import type { Capabilities } from '../../src/capabilities.ts'
import { WHOLE, LANDING } from '../fixtures.ts'
import { expect, test, type Lane } from './fixtures.ts'

async function found({ backend, site, start }: Lane, args: readonly string[] = []): Promise<Capabilities> {
  await start(site.pageUrl({ endpoints: backend.endpoints }), args)
  return (await site.order({ do: 'capabilities' })) as Capabilities
}

test(
  'Chromium promises wakes without a page, and says that nobody would be told',
  { tag: LANDING },
  async ({ lane }) => {
    const capabilities = await found(lane)
    expect(capabilities).toMatchObject({
      backgroundWakes: { kind: 'background-sync' },
      storage: 'best-effort',
      payloadForm: 'blob',
      push: true,
    })
    expect(capabilities.notifications).not.toBe('granted')
    expect(capabilities.words.join(' ')).toMatch(/after this page is closed, for about \d+ minutes/)
    expect(capabilities.words.join(' ')).toContain('You are not told')
  },
)

test('Chromium says that a person would be told, where they allowed it', { tag: WHOLE }, async ({ lane }) => {
  await lane.decide('notifications', 'allow')
  const { notifications, words } = await found(lane)
  expect(notifications).toBe('granted')
  expect(words).toContain('You are told if uploads need you.')
})

test('where background sync is switched off the report says so', { tag: LANDING }, async ({ lane }) => {
  await lane.decide('background_sync', 'block')
  const { backgroundWakes, words } = await found(lane)
  expect(backgroundWakes).toEqual({ kind: 'forbidden' })
  expect(words[0]).toMatch(/only while this app is open/)
})

test(
  'Chromium does not tell a private window from another, and the report does not pretend to',
  { tag: WHOLE },
  async ({ lane }) => {
    expect(await found(lane, ['--incognito'])).toMatchObject({ window: 'unknown', storage: 'best-effort' })
  },
)
