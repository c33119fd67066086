import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from './store-page.ts'

// docs/decisions/0047-the-browsers-log-is-turned-over.md

test('with its first write a life has Chromium begin a new log for the origin’s databases; reading does not', async ({
  page,
  shared: { profile },
}) => {
  const { hostname, port, protocol } = new URL(page.url())
  const folder = join(
    profile,
    'Default',
    'IndexedDB',
    `${protocol.slice(0, -1)}_${hostname}_${port}.indexeddb.leveldb`,
  )
  const logs = async () => (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))

  await page.evaluate(() => window.storePage.idbStore('read').read((tx) => tx.meta('nothing')))
  const [first] = await logs()
  expect(first).toBeDefined()
  await page.evaluate(() => window.storePage.idbStore('read').read((tx) => tx.meta('nothing')))
  expect(await logs()).toEqual([first])

  await page.evaluate(() => window.storePage.idbStore('written').write((tx) => tx.putMeta('one', 1)))
  await expect.poll(logs).not.toContain(first)
  await expect.poll(databases).not.toContain('written-turn')
})
