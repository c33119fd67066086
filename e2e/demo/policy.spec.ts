import type { Page } from '@playwright/test'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { dataSaver } from '../driver/worker-control.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { post } from '../in-page/messages.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'

const PAUSED = 'Uploads are off.'
const WAITING = 'Waiting for Wi-Fi.'

/** Chooses a policy as a person does, and waits until the worker says that it is in force. */
async function choose(page: Page, policy: 'always' | 'unmetered' | 'paused') {
  await page.getByTestId('policy').selectOption(policy)
  await expect.poll(() => ask(page, 'policy')).toMatchObject({ policy })
}

async function ask(page: Page, type: 'policy' | 'hello'): Promise<unknown> {
  const answer = await post(page, { holdfast: PROTOCOL_VERSION, type })
  expect(answer.ok).toBe(true)
  return Reflect.get(answer, 'value')
}

test(
  'paused: chunks are taken and nothing leaves, in any tab; always: all of it goes up',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url, sinceEntry } = stack
    const tab = await openDemo(context, { url })
    await choose(tab.page, 'paused')
    await expect(tab.page.getByTestId('policy-state')).toContainText(PAUSED)
    await tab.record()
    await tab.acknowledged(3)
    await tab.stop()
    // The recording has ended: with nothing to do the worker needs no page, and asks for no wake.
    expect(await ask(tab.page, 'hello')).toMatchObject({ workRemains: false })
    await tab.page.close()

    const again = await openDemo(context, { url })
    await expect(again.page.getByTestId('policy')).toHaveValue('paused')
    const held = await storedChunks(again.page)
    expect(held.length).toBeGreaterThanOrEqual(3)
    expect(new Set(held.map(({ status }) => status))).toEqual(new Set(['uploading']))
    expect(backend.ledger.all().slice(sinceEntry)).toEqual([])

    await choose(again.page, 'always')
    await expect(again.page.getByTestId('policy-state')).toBeEmpty()
    const id = held[0]?.sessionId ?? ''
    const log = await anchored(backend, id, 'complete', held.length)
    expectNothingTwice(backend, log, sinceEntry)
    await expect(again.session(id)).toHaveAttribute('data-upload', 'confirmed')
  },
)

test(
  'unmetered: nothing leaves while the browser is asked to save data, then all of it goes up',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url, sinceEntry } = stack
    const { page, record, acknowledged, stop, session } = await openDemo(context, { url })
    const saveData = await dataSaver(page)
    await saveData(true)
    await choose(page, 'unmetered')
    expect(await ask(page, 'policy')).toEqual({ policy: 'unmetered', metered: true })
    await expect(page.getByTestId('policy-state')).toContainText(WAITING)
    await record()
    await acknowledged(2)
    await stop()
    expect(await ask(page, 'hello')).toMatchObject({ workRemains: true })
    expect(backend.ledger.all().slice(sinceEntry)).toEqual([])

    await saveData(false)
    // The worker would look by itself too, within 15 s.
    await ask(page, 'hello')
    await expect(session()).toHaveAttribute('data-upload', 'confirmed')
    expect(backend.ledger.all().length).toBeGreaterThan(sinceEntry)
  },
)
