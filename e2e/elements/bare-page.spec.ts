import type { Locator, Page } from '@playwright/test'
import axe from 'axe-core'
import { builtScript } from '../built-scripts.ts'
import { expect, test as base, LANDING } from '../fixtures.ts'
import { serve } from '../in-page/serve.ts'
import type { bare } from './bare-page.ts'

type Bare = typeof bare

/** The page is there, and its elements are defined. */
const test = base.extend<{ readonly page: Page }>({
  page: async ({ context }, use) => {
    const script = await builtScript('elements/bare-page.ts')
    const html = '<!doctype html><meta charset="utf-8"><body><script src="/page.js"></script>'
    const site = await serve(
      new Map([
        ['/', html],
        ['/page.js', script],
      ]),
    )
    const page = await context.newPage()
    await page.goto(site.url)
    await use(page)
    await page.close()
    await site.close()
  },
})

const inPage = <Result>(page: Page, work: (it: Bare) => Result | Promise<Result>) =>
  page.evaluate(`(${String(work)})(window.bare)`) as Promise<Result>

/** Whether the page asks before it goes. */
const asks = (page: Page) =>
  inPage(page, () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })))

const violationsOf = async (page: Page) => {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { violations } = await (Reflect.get(window, 'axe') as typeof axe).run()
    return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }))
  })
}

test('in a page of somebody else, by keyboard alone: recorded, paused, resumed, proved', async ({ page }) => {
  await inPage(page, (it) => it.define(false))
  const recorder = page.locator('holdfast-recorder')
  const recovery = page.locator('holdfast-recovery')
  const status = page.locator('holdfast-status')
  await expect(recovery).toHaveAttribute('data-pending', '0')
  await expect(recorder).toHaveAttribute('data-state', 'idle')

  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Record', exact: true })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByText('There is nobody to record for.')).toBeVisible()
  await inPage(page, (it) => it.letRecord())
  await page.keyboard.press('Enter')
  await expect(recorder).toHaveAttribute('data-state', 'recording')
  await expect(page.getByRole('button', { name: 'Stop' })).toBeFocused()
  await expect(page.getByText('A canvas')).toBeVisible()
  await expect(status.getByRole('heading', { level: 2 })).toHaveText('Recording')
  await expect.poll(() => inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(1)
  await page.keyboard.press('Enter')
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  await expect(page.getByRole('button', { name: 'Record', exact: true })).toBeFocused()
  expect(await inPage(page, (it) => it.events.join(' '))).toBe('holdfast-recording holdfast-recorded')

  await expect(recovery).toHaveAttribute('data-pending', '1')
  await expect(status.getByRole('heading')).toHaveText('Uploading')
  expect(await violationsOf(page)).toEqual([])
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: /^Pause the recording of/ })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(status.getByRole('heading')).toHaveText('Paused')
  // Who has pressed Pause has Resume under the same finger.
  await expect(status.getByRole('button', { name: /^Resume the recording of/ })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(status.getByRole('heading')).toHaveText('Uploading')
  await inPage(page, (it) => it.worker.advance('confirmed'))
  await expect(recovery).toHaveAttribute('data-pending', '0')
  await expect(status).toHaveAttribute('data-tone', 'good')
})

test('of a recording that is discarded it says nothing more, and there is nothing to press', async ({
  page,
}) => {
  await inPage(page, (it) => it.begin())
  const status = page.locator('holdfast-status')
  await inPage(page, async ({ holdfast }) => {
    const { id } = await holdfast.startSession({
      groups: [{ publicKey: 'ab'.repeat(32) }],
      mimeType: 'video/webm',
    })
    const shown = document.querySelector('holdfast-status')
    if (shown) shown.sessionId = id
    await holdfast.pause(id)
  })
  await expect(status.getByRole('button')).toHaveCount(1)
  await status.getByRole('button').focus()
  await inPage(page, async ({ holdfast }) => {
    for (const { id } of await holdfast.sessions())
      await holdfast.discard(id, { confirm: 'discard-unconfirmed' })
  })
  await expect(status.getByRole('button')).toHaveCount(0)
  await expect(status.getByRole('heading')).toBeFocused()
  await expect(status.locator('.needs')).toBeHidden()
  await expect(status).not.toHaveAttribute('data-tone')
  await expect(status.locator('svg').first()).toHaveAttribute('data-icon', 'dot')
})

/** A recording of one chunk, which the status shows. */
async function showOne(page: Page): Promise<void> {
  await inPage(page, (it) => it.begin())
  await inPage(page, async ({ holdfast }) => {
    const groups = [{ publicKey: 'ab'.repeat(32) }]
    const session = await holdfast.startSession({ groups, mimeType: 'video/webm' })
    await session.append(new Blob(['x']))
    await session.end()
    const shown = document.querySelector('holdfast-status')
    if (shown) shown.sessionId = session.id
  })
}

test('without a recording a status is no higher than what it says', async ({ page }) => {
  await inPage(page, (it) => {
    it.begin()
    const shown = document.querySelector('holdfast-status')
    if (shown?.holdfast)
      shown.holdfast = {
        ...shown.holdfast,
        watch: () => {
          throw Error('Nothing comes.')
        },
      }
  })
  const status = page.locator('holdfast-status')
  const notice = status.getByText('Nothing comes.')
  await expect(notice).toBeVisible()
  const heightOf = async (what: Locator) => (await what.boundingBox())?.height
  expect(await heightOf(status)).toBe(await heightOf(status.getByRole('status')))
})

/** Whether it is there for more than a screen reader. */
const isInSight = async (what: Locator) => ((await what.boundingBox())?.height ?? 0) > 10

test('what a press cannot do is said and shown until one is done, and what is said again is said anew', async ({
  page,
}) => {
  await showOne(page)
  const status = page.locator('holdfast-status')
  await inPage(page, ({ holdfast }) => {
    const shown = document.querySelector('holdfast-status')
    const { pause } = holdfast
    let presses = 0
    holdfast.pause = (id) => (++presses < 3 ? Promise.reject(new Error('No answer.')) : pause(id))
    const said: string[] = []
    Reflect.set(window, 'said', said)
    const voice = shown?.shadowRoot?.querySelector('[role=status]')
    const note = () => void said.push(voice?.textContent ?? '')
    if (voice) new MutationObserver(note).observe(voice, { childList: true })
  })
  const said = () => page.evaluate(() => Reflect.get(window, 'said') as string[])
  const pause = status.getByRole('button', { name: /^Pause/ })
  await pause.click()
  const words = 'No answer. Try again.'
  await expect.poll(said).toEqual([words])
  expect(await isInSight(status.getByText(words))).toBe(true)
  expect(await violationsOf(page)).toEqual([])
  await pause.click()
  await expect.poll(said).toEqual([words, words])
  await pause.click()
  await expect.poll(said).toEqual([words, words, 'Paused'])
  expect(await isInSight(status.getByRole('status'))).toBe(false)
})

test('where the state does not come, or no more, what would show it says so, until it comes', async ({
  page,
}) => {
  await inPage(page, (it) => {
    const { watch } = it.holdfast
    it.gate = new Promise((open) => (it.open = open))
    it.holdfast.watch = async function* (options) {
      const { onStalled } = options ?? {}
      const why = Object.assign(new Error('No'), { name: 'HoldfastError', code: 'storage-failed' })
      if (onStalled) it.close = () => onStalled(why as never)
      onStalled?.(why as never)
      await it.gate
      yield* watch(options)
    }
    it.begin()
  })
  const words = page.getByText('The storage of this device fails. It is tried again by itself.')
  const expectTold = async () => {
    await expect(words).toHaveCount(2)
    for (const each of await words.all()) expect(await isInSight(each)).toBe(true)
  }
  await expectTold()
  expect(await violationsOf(page)).toEqual([])
  await inPage(page, (it) => it.open())
  await expect(words).toHaveCount(0)
  await expect(page.locator('holdfast-recovery')).toHaveAttribute('data-pending', '0')
  await inPage(page, (it) => it.close(Error()))
  await expectTold()
  await showOne(page)
  await expect(words).toHaveCount(0)
  await expect(page.locator('holdfast-recovery')).toHaveAttribute('data-pending', '1')
  expect(await inPage(page, (it) => it.events)).toEqual(Array(4).fill('holdfast-failure'))
})

test('an element whose connection is taken away watches nothing more, and has nothing to record with', async ({
  page,
}) => {
  const watched = await inPage(page, (it) => {
    const { watch } = it.holdfast
    const signals: (AbortSignal | undefined)[] = []
    it.holdfast.watch = (options) => {
      signals.push(options?.signal)
      return watch(options)
    }
    it.begin()
    const before = signals.length
    for (const element of document.querySelectorAll('holdfast-recorder, holdfast-recovery, holdfast-status'))
      Object.assign(element, { holdfast: undefined })
    return { before, after: signals.filter((signal) => !signal?.aborted).length }
  })
  // The state, once for all of them; and what is lost.
  expect(watched).toEqual({ before: 2, after: 0 })
  await expect(page.getByRole('button', { name: 'Record', exact: true })).toBeDisabled()
})

test('it can be read where the system is dark and the page is not', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' })
  await showOne(page)
  await expect(page.locator('holdfast-status').getByRole('heading')).toHaveText('Uploading')
  // axe finds text that has too little contrast with what is behind it.
  expect(await violationsOf(page)).toEqual([])
})

test('it has the page’s language, colours and parts, also where all was set before it was defined', async ({
  page,
}) => {
  await page.addStyleTag({
    content:
      ':root { --holdfast-surface: rgb(1, 2, 3) } holdfast-recorder::part(record) { letter-spacing: 3px }',
  })
  await inPage(page, (it) => it.define(true))
  const record = page.getByRole('button', { name: 'Aufnehmen' })
  await expect(record).toBeEnabled()
  await expect(record).toHaveCSS('letter-spacing', '3px')
  await expect(page.locator('holdfast-recovery section')).toHaveCSS('background-color', 'rgb(1, 2, 3)')
})

test('what fails is told to the page, and in words', { tag: LANDING }, async ({ page }) => {
  await inPage(page, (it) => {
    it.begin()
    it.holdfast.startSession = () => Promise.reject(new Error('No'))
  })
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page.getByRole('alert')).toContainText('No')
  expect(await inPage(page, (it) => it.events.join(' '))).toBe('holdfast-failure')
  await expect(page.getByRole('button', { name: 'Record', exact: true })).toBeEnabled()
})

test(
  'taken out of the page, or stopped, while it starts: nothing is recorded, and the camera is let go',
  { tag: LANDING },
  async ({ page }) => {
    await inPage(page, (it) => it.begin())
    const found = await inPage(page, async ({ holdfast, recorder, events }) => {
      const { startSession } = holdfast
      const openSource = recorder.openSource!
      const tracks: MediaStreamTrack[] = []
      const begin = (giveUp: () => void, during: 'source' | 'session' | 'answer') => {
        recorder.openSource = async () => {
          const source = await openSource()
          if (typeof source === 'object') tracks.push(...source.stream.getTracks())
          if (during === 'source') giveUp()
          await new Promise((resolve) => setTimeout(resolve))
          return source
        }
        holdfast.startSession = async (options) => {
          if (during === 'session') giveUp()
          await new Promise((resolve) => setTimeout(resolve))
          const session = await startSession(options)
          if (during === 'answer') giveUp()
          return session
        }
        return recorder.record()
      }
      const home = recorder.parentElement!
      await begin(() => recorder.stop(), 'source')
      await begin(() => recorder.stop(), 'session')
      await begin(() => recorder.stop(), 'answer')
      await begin(() => recorder.remove(), 'source')
      await recorder.record()
      home.append(recorder)
      await begin(() => recorder.remove(), 'session')
      home.append(recorder)
      // What begins a session heeds being given up later than whoever waits for it.
      while (tracks.some(({ readyState }) => readyState === 'live'))
        await new Promise((resolve) => setTimeout(resolve))
      return { events, sources: tracks.length, state: recorder.state }
    })
    expect(found).toEqual({ events: [], sources: 5, state: 'idle' })
    await expect.poll(() => inPage(page, async (it) => (await it.holdfast.sessions()).length)).toBe(0)
  },
)

test(
  'a recorder that cannot begin ends its session, and lets the page go',
  { tag: LANDING },
  async ({ page }) => {
    await inPage(page, (it) => {
      it.begin()
      MediaRecorder.prototype.start = () => {
        throw new Error('unplugged')
      }
      it.eachSession((session) => {
        const { end } = session
        session.end = (how) => {
          it.ends.push(how)
          return end(how)
        }
      })
    })
    await page.getByRole('button', { name: 'Record', exact: true }).click()
    await expect(page.getByRole('alert')).toContainText('The camera stopped.')
    expect(await inPage(page, (it) => it.ends)).toEqual([{ how: 'interrupted' }])
    await expect(page.locator('holdfast-recorder')).not.toHaveAttribute('data-unsaved')
  },
)

test('what could not be kept stays to be saved over the next recording, and the page asks before it goes', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    let isFirst = true
    it.eachSession((session) => {
      if (isFirst) session.append = () => Promise.reject(new Error('No'))
      isFirst = false
    })
  })
  const recorder = page.locator('holdfast-recorder')
  const record = page.getByRole('button', { name: 'Record', exact: true })
  const save = page.getByRole('button', { name: 'Save as a file' })
  await record.click()
  await expect(save).toBeVisible()
  await expect(recorder).toHaveAttribute('data-unsaved')
  expect(await asks(page)).toBe(true)

  await record.click()
  await expect(recorder).toHaveAttribute('data-state', 'recording')
  await expect.poll(() => inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  await expect(save).toBeVisible()
  expect(await asks(page)).toBe(true)

  const saving = page.waitForEvent('download')
  await save.click()
  expect((await saving).suggestedFilename()).toMatch(/^holdfast-unsaved\./)
  await expect(recorder).not.toHaveAttribute('data-unsaved')
  expect(await asks(page)).toBe(false)
  await page.getByRole('button', { name: 'Dismiss' }).click()
  await expect(save).toBeHidden()
})

test('taken out of the page, what the worker has not taken is handed over all the same, and what cannot be kept is saved; then the page asks no more', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    it.eachSession((session) => {
      const { append, end } = session
      session.append = async (...slice) => {
        await it.gate
        return append(...slice)
      }
      // After all of them.
      session.end = async (how) => {
        await it.gate.catch(() => undefined)
        return end(how)
      }
    })
  })
  const record = async () => {
    await inPage(page, (it) => {
      it.home.append(it.recorder)
      it.gate = new Promise((open, close) => Object.assign(it, { open, close }))
      void it.recorder.record()
    })
    await expect.poll(() => asks(page)).toBe(true)
    await inPage(page, (it) => it.recorder.remove())
    // Nothing is there to be seen, and all of it is in this page.
    await expect.poll(() => inPage(page, (it) => it.recorder.state)).toBe('saving')
    expect(await asks(page)).toBe(true)
  }

  await record()
  const before = await inPage(page, (it) => it.worker.taken.length)
  await inPage(page, (it) => it.open())
  await expect.poll(() => inPage(page, (it) => it.recorder.state)).toBe('idle')
  expect(await inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(before)
  expect(await asks(page)).toBe(false)

  await record()
  const saving = page.waitForEvent('download')
  await inPage(page, (it) => it.close(new Error('No')))
  expect((await saving).suggestedFilename()).toMatch(/^holdfast-unsaved\./)
  await expect.poll(() => asks(page)).toBe(false)
  expect(await inPage(page, (it) => it.recorder.hasAttribute('data-unsaved'))).toBe(false)

  // Where it cannot be saved, either, it stays: the only place that has it is this page.
  await inPage(page, (it) => {
    it.recorder.saveUnsaved = () => Promise.reject(new Error('No room'))
  })
  await record()
  await inPage(page, (it) => it.close(new Error('No')))
  await expect.poll(() => inPage(page, (it) => it.recorder.state)).toBe('idle')
  expect(await asks(page)).toBe(true)
  await inPage(page, (it) => {
    it.home.append(it.recorder)
    it.recorder.saveUnsaved = undefined
  })
  const later = page.waitForEvent('download')
  // The newest is on top.
  await page.getByRole('button', { name: 'Save as a file' }).first().click()
  await later
  await expect.poll(() => asks(page)).toBe(false)
})

test(
  'what a person saves already is not saved once more where the element is taken out of the page',
  { tag: LANDING },
  async ({ page }) => {
    await inPage(page, (it) => {
      it.begin()
      it.eachSession((session) => Object.assign(session, { append: () => Promise.reject(new Error('No')) }))
      it.recorder.saveUnsaved = () => {
        it.recorder.dataset['saves'] = `${it.recorder.dataset['saves'] ?? ''}I`
        return new Promise((resolve) => setTimeout(resolve))
      }
    })
    await page.getByRole('button', { name: 'Record', exact: true }).click()
    await expect(page.getByRole('button', { name: 'Save as a file' })).toBeVisible()
    await inPage(page, (it) => {
      it.recorder.shadowRoot?.querySelector<HTMLElement>('[data-testid=save-unsaved]')?.click()
      it.recorder.remove()
    })
    await expect.poll(() => inPage(page, (it) => it.recorder.hasAttribute('data-unsaved'))).toBe(false)
    expect(await inPage(page, (it) => it.recorder.dataset['saves'])).toBe('I')
  },
)

test(
  'frozen, and its camera gone meanwhile: it is opened again unasked, shown, and recorded in a session that goes on',
  { tag: LANDING },
  async ({ page }) => {
    await inPage(page, (it) => {
      it.begin()
      const openSource = it.recorder.openSource!
      it.recorder.openSource = async (isAgain) => {
        const source = await openSource()
        it.opened.push(isAgain)
        if (typeof source === 'object') it.sources.push(source)
        return source
      }
      // It stops nothing.
      const onContinued = () => {
        throw new Error('The app is wrong.')
      }
      it.recorder.recordOptions = { ...it.recorder.recordOptions, onContinued }
      void it.recorder.record()
    })
    await expect.poll(() => inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(0)
    const taken = await inPage(page, (it) => {
      for (const track of it.sources[0]?.stream.getTracks() ?? []) track.stop()
      // As Chromium does: the page runs again, and finds that its camera was taken.
      for (const type of ['freeze', 'resume']) document.dispatchEvent(new Event(type))
      return it.worker.taken.length
    })
    await expect.poll(() => inPage(page, (it) => it.opened)).toEqual([false, true])
    await expect(page.getByText('goes on in a new one')).toBeVisible()
    await expect.poll(() => inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(taken + 1)
    const shown = await inPage(page, (it) => {
      const video = it.recorder.shadowRoot?.querySelector('video')
      return video?.srcObject === it.sources[1]?.stream
    })
    expect(shown).toBe(true)
    await page.getByRole('button', { name: 'Stop' }).click()
    await expect(page.locator('holdfast-recorder')).toHaveAttribute('data-state', 'idle')
    const states = await inPage(page, (it) =>
      it.sources.flatMap(({ stream }) => stream.getTracks().map(({ readyState }) => readyState)),
    )
    expect(states).toEqual(['ended', 'ended'])
  },
)

test(
  'of a recorder that runs and gives nothing it says so, until there is something',
  { tag: LANDING },
  async ({ page }) => {
    await inPage(page, (it) => {
      const add = MediaRecorder.prototype.addEventListener
      // An encoder that died: nobody hears of a slice.
      MediaRecorder.prototype.addEventListener = function (
        this: MediaRecorder,
        ...args: Parameters<typeof add>
      ) {
        const [type, listener] = args
        if (type !== 'dataavailable' || typeof listener !== 'function') return add.apply(this, args)
        add.call(this, type, (event) => {
          if ('revived' in it.recorder.dataset) listener.call(this, event)
        })
      }
      it.begin()
      void it.recorder.record()
    })
    const words = page.getByText('The camera gives nothing')
    await expect(words).toBeVisible()
    expect(await violationsOf(page)).toEqual([])
    await inPage(page, (it) => it.recorder.setAttribute('data-revived', ''))
    await expect(words).toBeHidden()
    await page.getByRole('button', { name: 'Stop' }).click()
    await expect(page.locator('holdfast-recorder')).toHaveAttribute('data-state', 'idle')
  },
)

test('stopped by whoever is told that it records it is over, and its camera is let go', async ({ page }) => {
  const over = await inPage(page, async (it) => {
    it.begin()
    const { recorder, sources, events } = it
    const openSource = recorder.openSource!
    recorder.openSource = async () => {
      const source = await openSource()
      if (typeof source === 'object') sources.push(source)
      return source
    }
    recorder.addEventListener('holdfast-recording', () => recorder.stop())
    await recorder.record()
    const tracks = sources.flatMap(({ stream }) => stream.getTracks())
    return { state: recorder.state, tracks: tracks.map(({ readyState }) => readyState), events }
  })
  expect(over).toEqual({
    state: 'idle',
    tracks: ['ended'],
    events: ['holdfast-recording', 'holdfast-recorded'],
  })
})

test('stopped while the app does not say for whom, or what from, it is idle, and closes what comes late', async ({
  page,
}) => {
  await inPage(page, (it) => it.begin())
  const left = await inPage(page, async (it) => {
    const { recorder } = it
    const { groups, openSource } = recorder
    const giveUp = async () => {
      const over = recorder.record()
      setTimeout(() => recorder.stop())
      await over
    }
    recorder.groups = () => new Promise(() => {})
    await giveUp()
    recorder.groups = groups
    recorder.openSource = () => new Promise((open) => (it.open = open as typeof it.open))
    await giveUp()
    const late = await openSource!()
    it.open(late)
    recorder.openSource = openSource
    if (typeof late === 'object') it.sources.push(late)
    return recorder.state
  })
  expect(left).toBe('idle')
  const states = () =>
    inPage(page, (it) => it.sources[0]?.stream.getTracks().map(({ readyState }) => readyState))
  await expect.poll(states).toEqual(['ended'])
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page.locator('holdfast-recorder')).toHaveAttribute('data-state', 'recording')
})

test('while the app is asked there is Stop to press, which leaves the focus on Record; a double click on Record is one', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    it.recorder.groups = () => new Promise((resolve) => (it.open = resolve as typeof it.open))
  })
  const record = page.getByRole('button', { name: 'Record', exact: true })
  const stop = page.getByRole('button', { name: 'Stop' })
  await record.press('Enter')
  await expect(stop).toBeFocused()
  await expect(record).toBeHidden()
  await expect(page.locator('holdfast-recorder')).toHaveAttribute('data-state', 'idle')
  await stop.press('Enter')
  await expect(record).toBeFocused()
  await expect(stop).toBeHidden()

  await record.dblclick()
  await inPage(page, (it) => it.open([{ publicKey: 'ab'.repeat(32) }]))
  await expect(page.locator('holdfast-recorder')).toHaveAttribute('data-state', 'recording')
  await stop.click()
  await expect(record).toBeFocused()

  // Whoever writes elsewhere meanwhile goes on there.
  await inPage(page, (it) => {
    const field = document.createElement('input')
    it.home.append(field)
    field.focus()
    void it.recorder.record()
    it.open()
  })
  await expect(record).toBeVisible()
  await expect(page.getByRole('textbox')).toBeFocused()
})

test('a double click on Stop records nothing new', async ({ page }) => {
  await inPage(page, (it) => it.begin())
  const recorder = page.locator('holdfast-recorder')
  const record = page.getByRole('button', { name: 'Record', exact: true })
  const stop = page.getByRole('button', { name: 'Stop' })
  const begun = () =>
    inPage(page, ({ events }) => events.filter((type) => type === 'holdfast-recording').length)
  await record.click()
  await expect(recorder).toHaveAttribute('data-state', 'recording')
  await stop.click()
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  // The mouse is still there, and what was saved quickly has Record under it.
  await page.mouse.down({ clickCount: 2 })
  await page.mouse.up({ clickCount: 2 })
  await expect(record).toBeVisible()
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  expect(await begun()).toBe(1)
})

test('Enter that is held down is pressed once: neither Stop after Record, nor Record after Stop', async ({
  page,
}) => {
  await inPage(page, (it) => it.begin())
  const recorder = page.locator('holdfast-recorder')
  const record = page.getByRole('button', { name: 'Record', exact: true })
  const stop = page.getByRole('button', { name: 'Stop' })
  const begun = () =>
    inPage(page, ({ events }) => events.filter((type) => type === 'holdfast-recording').length)
  await record.focus()
  await page.keyboard.down('Enter')
  await expect(stop).toBeFocused()
  // Each after the first is a repetition.
  await page.keyboard.down('Enter')
  await expect(recorder).toHaveAttribute('data-state', 'recording')
  await page.keyboard.down('Enter')
  await page.keyboard.up('Enter')
  await expect(stop).toBeFocused()
  await expect(recorder).toHaveAttribute('data-state', 'recording')
  expect(await begun()).toBe(1)

  await page.keyboard.down('Enter')
  await expect(record).toBeFocused()
  await page.keyboard.down('Enter')
  await page.keyboard.up('Enter')
  await expect(record).toBeFocused()
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  expect(await begun()).toBe(1)

  // As screen readers and scripts press.
  await record.evaluate((button) => (button as HTMLElement).click())
  await expect(recorder).toHaveAttribute('data-state', 'recording')
  await stop.evaluate((button) => (button as HTMLElement).click())
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  expect(await begun()).toBe(2)
})

test('a camera that is opened again only after Stop is closed, and is not shown over that of the next recording', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    const openSource = it.recorder.openSource!
    it.recorder.openSource = async (isAgain) => {
      const source = await openSource()
      if (typeof source !== 'object') return source
      it.sources.push(source)
      if (isAgain) await new Promise<void>((open) => (it.open = open as typeof it.open))
      const close = () => {
        it.opened.push(it.sources.indexOf(source))
        source.close()
      }
      return { ...source, close }
    }
    void it.recorder.record()
  })
  const recorder = page.locator('holdfast-recorder')
  await expect.poll(() => inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(0)
  await inPage(page, (it) => {
    for (const track of it.sources[0]?.stream.getTracks() ?? []) track.stop()
    for (const type of ['freeze', 'resume']) document.dispatchEvent(new Event(type))
  })
  await expect.poll(() => inPage(page, (it) => it.sources.length)).toBe(2)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  await expect(recorder).toHaveAttribute('data-state', 'recording')
  await inPage(page, (it) => it.open())
  await expect.poll(() => inPage(page, (it) => it.opened)).toEqual([0, 1])
  const isShown = await inPage(page, (it) => {
    const video = it.recorder.shadowRoot?.querySelector('video')
    return video?.srcObject === it.sources[2]?.stream
  })
  expect(isShown).toBe(true)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  expect(await inPage(page, (it) => it.opened)).toEqual([0, 1, 2])
})

test('whoever is at a recording in the list stays there though another comes before it', async ({ page }) => {
  await inPage(page, async (it) => {
    it.begin()
    for (let at = 0; at < 3; at++) {
      const session = await it.holdfast.startSession({
        groups: [{ publicKey: 'ab'.repeat(32) }],
        mimeType: 'video/webm',
        startedAtMs: 1e12 + at * 6e4,
      })
      await session.append(new Blob(['x']))
      await session.end()
      await it.holdfast.pause(session.id)
    }
  })
  const recovery = page.locator('holdfast-recovery')
  await recovery.locator('summary').click()
  const second = recovery.getByRole('listitem').nth(1).getByRole('button')
  await second.focus()
  const id = await second.evaluate((button) => button.closest('li')?.dataset['sessionId'])
  // In another tab.
  await inPage(page, async ({ holdfast }) => {
    const [first] = await holdfast.sessions()
    if (first) await holdfast.resume(first.id)
  })
  await expect(recovery.getByRole('listitem').first()).toHaveAttribute('data-session-id', id!)
  await expect(recovery.getByRole('listitem').first().getByRole('button')).toBeFocused()
})

test('moved within the page while it records it goes on, and shows it; stopped twice it is over once', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    void it.recorder.record()
  })
  const taken = () => inPage(page, (it) => it.worker.taken.length)
  await expect.poll(taken).toBeGreaterThan(0)
  const before = await inPage(page, (it) => {
    const aside = document.createElement('aside')
    it.home.append(aside)
    aside.append(it.recorder)
    return it.worker.taken.length
  })
  await expect.poll(taken).toBeGreaterThan(before + 1)
  const isPaused = await inPage(page, (it) => it.recorder.shadowRoot?.querySelector('video')?.paused)
  expect(isPaused).toBe(false)
  await inPage(page, (it) => {
    it.recorder.stop()
    it.recorder.stop()
  })
  await expect(page.locator('holdfast-recorder')).toHaveAttribute('data-state', 'idle')
  expect(await inPage(page, (it) => it.events)).toEqual(['holdfast-recording', 'holdfast-recorded'])
  expect(await inPage(page, async (it) => (await it.holdfast.sessions()).length)).toBe(1)
})

test('of a recording that is safe, and that the worker does not end yet, it does not say that it is not', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    const { setInterval } = window
    // A while later, when the test says so.
    window.setInterval = ((work: () => void, ms: number) => {
      if (ms === 250)
        it.open = () => {
          performance.now = () => Infinity
          work()
        }
      return setInterval(work, ms)
    }) as typeof setInterval
    it.eachSession((session) => Object.assign(session, { end: () => new Promise(() => {}) }))
    void it.recorder.record()
  })
  await expect.poll(() => inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.locator('[part=saved]')).toHaveAttribute('data-waiting', '0')
  const isTold = await inPage(page, (it) => {
    it.open()
    return !it.recorder.shadowRoot?.querySelector<HTMLElement>('[part=notice]')?.hidden
  })
  expect(isTold).toBe(false)
})

test('what is not saved yet is told in seconds from the first on, and not as nothing', async ({ page }) => {
  await inPage(page, (it) => {
    it.begin()
    it.eachSession((session) => Object.assign(session, { append: () => new Promise(() => {}) }))
    void it.recorder.record()
  })
  await expect(page.locator('[part=saved]')).not.toHaveAttribute('data-captured', '0')
  await expect(page.locator('[part=saved]')).toHaveText(/^… [1-9]\d* (s|min)$/)
})

test('what a recorder has not given yet is told as not saved, and no tick before the first of it is', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    // As an encoder on a busy phone, which takes its time.
    MediaRecorder.prototype.start = () => {}
    void it.recorder.record()
  })
  const saved = page.locator('[part=saved]')
  await expect(saved).toHaveText(/^… (?!1 s)\d+ (s|min)$/)
  await expect(saved).toHaveAttribute('aria-label', /^The last \d+ (s|min) are not saved yet$/)
  await expect(saved).toHaveCSS('color', 'rgb(238, 191, 102)')
})

test('what the app does not close, and null instead of a source, fail no recording', async ({ page }) => {
  await inPage(page, (it) => {
    it.begin()
    const openSource = it.recorder.openSource!
    it.recorder.openSource = async () => {
      const source = await openSource()
      const close = () => {
        throw new Error('The app is wrong.')
      }
      return typeof source === 'object' ? { ...source, close } : source
    }
  })
  const wrong: string[] = []
  page.on('pageerror', ({ message }) => wrong.push(message))
  const recorder = page.locator('holdfast-recorder')
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  await expect.poll(() => inPage(page, (it) => it.worker.taken.length)).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(recorder).toHaveAttribute('data-state', 'idle')
  await inPage(page, async ({ recorder }) => {
    Reflect.set(recorder, 'openSource', async () => null)
    await recorder.record()
  })
  expect(await inPage(page, (it) => it.events)).toEqual(['holdfast-recording', 'holdfast-recorded'])
  await expect(page.getByRole('alert')).toHaveCount(0)
  expect(wrong).toEqual(['The app is wrong.'])
})

test('of a recording that is over and failed, what still waits in the page shows nothing more', async ({
  page,
}) => {
  await inPage(page, (it) => {
    it.begin()
    it.eachSession((session) => {
      let count = 0
      session.append = (_bytes, options) => {
        if (count++ > 0) return Promise.reject(new Error('No'))
        // As one that is refused for a reason that may pass, and asked again.
        it.open = () => options?.onStalled?.(new Error('No room') as never)
        Object.defineProperty(session, 'stalledBy', { get: () => new Error('No room'), configurable: true })
        return new Promise(() => {})
      }
    })
  })
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Save as a file' })).toBeVisible()
  await inPage(page, (it) => it.open())
  await expect(page.getByText('Keep this tab open')).toBeHidden()
})

test('given a promise of a connection it says what to do with it', async ({ page }) => {
  await inPage(page, (it) => it.begin())
  const said = await inPage(page, (it) => {
    try {
      Reflect.set(it.recorder, 'holdfast', Promise.resolve(it.holdfast))
      return 'nothing'
    } catch (error) {
      return String(error)
    }
  })
  expect(said).toBe('TypeError: await connect()')
})

test('without a worker it says why, where the app tells it', { tag: LANDING }, async ({ page }) => {
  await inPage(page, (it) => {
    it.begin()
    // As connect() does where cookies are blocked.
    const why = { name: 'HoldfastError', code: 'no-service-worker' }
    it.recorder.fail(Object.assign(new Error('No'), why))
  })
  await expect(page.getByText('This page can do nothing in the background. Allow cookies.')).toBeVisible()
  expect(await inPage(page, (it) => it.events)).toEqual(['holdfast-failure'])
})
