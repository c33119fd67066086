import { afterEach, describe, expect, test, vi } from 'vitest'
import { PROTOCOL_VERSION } from '../../../src/protocol/messages.ts'
import { activation } from './activation.ts'

afterEach(() => vi.unstubAllGlobals())

/** A worker's global scope, and whether it thinks that it is the active one. */
function workerIn(scope: object) {
  const self = Object.assign(new EventTarget(), scope)
  vi.stubGlobal('self', self)
  let active = false
  void activation().then(() => (active = true))
  return {
    async isActive() {
      await Promise.resolve()
      return active
    },
    hears: (type: string, data?: unknown) => self.dispatchEvent(Object.assign(new Event(type), { data })),
  }
}

const hello = { holdfast: PROTOCOL_VERSION, type: 'hello' }

describe('where the browser tells a worker its state', () => {
  test('it is active if it says so', async () => {
    expect(await workerIn({ serviceWorker: { state: 'activated' } }).isActive()).toBe(true)
  })

  test('it waits for its activation otherwise, whatever it hears', async () => {
    const worker = workerIn({ serviceWorker: { state: 'installed' } })
    worker.hears('message', hello)
    expect(await worker.isActive()).toBe(false)
    worker.hears('activate')
    expect(await worker.isActive()).toBe(true)
  })
})

describe('where the browser does not', () => {
  const [active, other] = [{}, {}]

  test('the first one waits for its activation', async () => {
    const worker = workerIn({ registration: { active: null, waiting: null, installing: other } })
    expect(await worker.isActive()).toBe(false)
    worker.hears('activate')
    expect(await worker.isActive()).toBe(true)
  })

  test('a page’s message is believed more than a registration that knows of no active worker yet', async () => {
    const worker = workerIn({ registration: { active: null, waiting: null, installing: other } })
    worker.hears('message', hello)
    expect(await worker.isActive()).toBe(true)
  })

  test('the only one is active', async () => {
    const worker = workerIn({ registration: { active, waiting: null, installing: null } })
    expect(await worker.isActive()).toBe(true)
  })

  test.each([
    ['message', hello],
    ['push', undefined],
  ])('one of two is active once it gets a %s', async (type, data) => {
    const worker = workerIn({ registration: { active, waiting: other, installing: null } })
    worker.hears('message', { type: 'SKIP_WAITING' })
    expect(await worker.isActive()).toBe(false)
    worker.hears(type, data)
    expect(await worker.isActive()).toBe(true)
  })
})
