import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { capabilities } from './capabilities.ts'
import { connect } from './client.ts'
import { missingFeatures } from './requirements.ts'

const registered = vi.fn()

/** A browser that has all but these. */
function browserWithout(...names: readonly string[]): void {
  const has = (name: string) => !names.includes(name)
  vi.stubGlobal('navigator', {
    ...(has('serviceWorker') && {
      serviceWorker: { register: registered, getRegistration: async () => undefined },
    }),
    ...(has('locks') && { locks: {} }),
  })
  for (const name of ['indexedDB', 'BroadcastChannel']) {
    vi.stubGlobal(name, {})
    if (!has(name)) Reflect.deleteProperty(globalThis, name)
  }
  if (!has('throwIfAborted')) vi.stubGlobal('AbortSignal', { prototype: {} })
}

beforeEach(() => {
  registered.mockReset()
  registered.mockRejectedValue(new Error('This test has no worker.'))
  vi.stubGlobal('isSecureContext', true)
})
afterEach(() => vi.unstubAllGlobals())

const ALL = ['serviceWorker', 'locks', 'indexedDB', 'BroadcastChannel', 'throwIfAborted']

it('names all that is missing', () => {
  browserWithout(...ALL)
  expect(missingFeatures()).toEqual(ALL)
})

describe.each(ALL)('without %s', (name) => {
  beforeEach(() => browserWithout(name))

  it('connect refuses at once, by name, and registers nothing', async () => {
    await expect(connect({ scriptUrl: '/sw.js' })).rejects.toMatchObject({
      code: name === 'serviceWorker' ? 'no-service-worker' : 'unsupported-browser',
      class: 'refused',
      message: `This page lacks ${name}, or https.`,
    })
    expect(registered).not.toHaveBeenCalled()
  })

  it('the capabilities say why, and promise nothing', async () => {
    const { missing, words, window } = await capabilities()
    expect(missing).toEqual([name])
    expect(words).toEqual([`This browser cannot keep recordings: it lacks ${name}. A newer one may not.`])
    if (name === 'indexedDB') expect(window).toBe('unknown')
  })
})

it('a page without https is told that, and not that its browser is old', async () => {
  browserWithout('serviceWorker', 'locks')
  vi.stubGlobal('isSecureContext', false)
  await expect(connect({ scriptUrl: '/sw.js' })).rejects.toMatchObject({
    code: 'no-service-worker',
    message: 'This page lacks serviceWorker,locks, or https.',
  })
  const { words } = await capabilities()
  expect(words).toEqual(['Recordings cannot be kept here: this page was not loaded over https.'])
})

it('a browser that has all is not refused', async () => {
  browserWithout()
  await expect(connect({ scriptUrl: '/sw.js' })).rejects.toMatchObject({ code: 'no-service-worker' })
  expect(registered).toHaveBeenCalledOnce()
  const { missing, words } = await capabilities()
  expect(missing).toEqual([])
  expect(words[0]).toMatch(/^Uploads go on/)
})
