import { workerOf } from '../driver/worker-control.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { leavePending } from '../in-page/pending.ts'
import { openDemo, tap } from '../in-page/demo-tab.ts'
import { updateWaits } from '../update/versions.ts'

test(
  'a new version is offered on top, not while something waits in the page, and starts with one press',
  { tag: LANDING },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url })
    const { page } = tab
    await tab.record()
    stack.site.deploy(`${stack.site.worker}\n// Another version.\n`)
    await updateWaits(page)
    const go = page.getByTestId('update-go')
    await expect(go).toBeHidden()
    await tab.stop()
    await expect(go).toBeVisible()
    await expect(page.getByRole('status').filter({ hasText: 'New version' })).toBeVisible()

    const reloaded = page.waitForEvent('load')
    await go.click()
    await reloaded
    await expect(page.getByTestId('session')).toHaveCount(1)
    await expect(go).toBeHidden()
    expect(await page.evaluate(async () => (await navigator.serviceWorker.ready).waiting)).toBeNull()
  },
)

test(
  'where the browser may clear recordings, what helps is beside the words: the app is installed by one press',
  { tag: LANDING },
  async ({ stack, context }) => {
    const first = () => {
      navigator.storage.persist = async () => false
    }
    const { page, ...tab } = await openDemo(context, { url: stack.url, first })
    const install = page.getByTestId('install')
    await page.evaluate(() => {
      const prompt = async () => void Reflect.set(window, 'prompted', true)
      dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt }))
    })
    // Nothing is asked for before there is a reason.
    await expect(install).toBeHidden()
    await tab.record()
    await expect(page.getByTestId('storage-line')).toContainText('installing this app usually helps')
    await tap(install)
    expect(await page.evaluate(() => Reflect.get(window, 'prompted'))).toBe(true)
    await expect(install).toBeHidden()
    await tab.stop()
  },
)

test(
  'the icon tells how many recordings are on their way, and forgets it with the last',
  { tag: LANDING },
  async ({ stack, context }) => {
    const first = () => {
      const told: number[] = []
      Reflect.set(window, 'badges', told)
      navigator.setAppBadge = async (count = 0) => void told.push(count)
      navigator.clearAppBadge = async () => void told.push(0)
    }
    const { page } = await openDemo(context, { url: stack.url, first })
    await leavePending(page, 2)
    const newest = () => page.evaluate(() => (Reflect.get(window, 'badges') as number[]).at(-1))
    await expect.poll(newest).toBe(2)
    await page.getByTestId('policy').selectOption('always')
    await expect.poll(newest).toBe(0)
  },
)

test(
  'that uploads have finished with no page open is told only where a person has asked for it, in neutral words',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { origin } = new URL(stack.url)
    await context.grantPermissions(['notifications'], { origin })
    const { page } = await openDemo(context, { url: stack.url })
    const notify = page.getByTestId('notify')
    await expect(notify).not.toBeChecked()
    const choice = () => page.evaluate(() => caches.match('/told-when-finished').then((one) => one?.json()))
    expect(await choice()).toBeUndefined()
    await notify.check()
    await expect.poll(choice).toEqual({ title: 'Finished', body: 'There is nothing to do.' })
    await page.reload()
    await expect(notify).toBeChecked()
    await notify.uncheck()
    await expect.poll(choice).toBeUndefined()
  },
)

test(
  'it is told by the worker once no page is open, and nothing is told otherwise',
  { tag: LANDING },
  async ({ stack, context }) => {
    await context.grantPermissions(['notifications'], { origin: new URL(stack.url).origin })
    const tab = await openDemo(context, { url: stack.url })
    await tab.page.getByTestId('notify').check()
    const worker = await workerOf(context, stack.url)
    const told = () =>
      worker.evaluate(async () => {
        const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration }
        return (await registration.getNotifications()).map(({ title, body }) => `${title}: ${body}`)
      })
    await tab.record()
    await tab.acknowledged(1)
    await tab.stop()
    await expect(tab.session()).toHaveAttribute('data-upload', 'confirmed')
    expect(await told()).toEqual([])

    await tab.record()
    await tab.acknowledged(1)
    await tab.page.close()
    await expect.poll(told).toEqual(['Finished: There is nothing to do.'])
  },
)
