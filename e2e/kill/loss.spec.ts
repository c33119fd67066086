import { expect, test, LANDING } from '../fixtures.ts'
import { storedTimes, storedUntilMs } from '../in-page/stored-times.ts'
import { openDemo } from '../in-page/demo-tab.ts'

const TIMESLICE_MS = 500

// Promise 1 of docs/guarantees.md.
test(
  'the browser is killed at any moment: the slice that was being made is lost, and what was not taken yet, and no more',
  { tag: LANDING },
  async ({ stack, launch }) => {
    stack.backend.faults.add({ service: 'ipfs', kind: 'down' })
    const first = await launch()
    const tab = await openDemo(first.context, {
      url: stack.url,
      timesliceMs: TIMESLICE_MS,
    })
    const { page } = tab
    /** When the page last told that all it had cut is safe: ms since the epoch. */
    let allSafeAtMs = 0
    await page.exposeFunction('tellAllSafe', (atMs: number) => void (allSafeAtMs = atMs))
    await page.evaluate(() => {
      const { shadowRoot } = document.querySelector('holdfast-recorder') as Element
      const told = shadowRoot?.querySelector('[data-testid=ack-count]')
      const tell = Reflect.get(window, 'tellAllSafe') as (atMs: number) => void
      const look = () => told?.getAttribute('data-waiting') === '0' && tell(Date.now())
      if (told) new MutationObserver(look).observe(told, { attributes: true })
    })
    await tab.record()
    await tab.acknowledged(4)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * TIMESLICE_MS))
    const killedAtMs = Date.now()
    await first.kill()

    const second = await launch()
    const visit = await second.context.newPage()
    await visit.goto(`${stack.url}/read.html`)
    const [recording] = await storedTimes(visit)
    if (!recording) throw new Error('Nothing of the recording is there.')
    const lengths = recording.chunks.map(({ fromMs, toMs }) => toMs - fromMs)
    const lostMs = killedAtMs - storedUntilMs(recording)
    const longest = Math.max(2 * TIMESLICE_MS, ...lengths)
    expect(lostMs).toBeLessThanOrEqual(killedAtMs - allSafeAtMs + longest)
  },
)
