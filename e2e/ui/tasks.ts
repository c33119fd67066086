import type { BrowserContext, Page } from '@playwright/test'

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** CPU time of the thread, µs. */
  readonly tdur?: number
}

/**
 * What the tasks of a page's own thread took while something is done.
 *
 * @returns CPU time in ms, the longest first
 */
export async function longestTasksMs(
  context: BrowserContext,
  page: Page,
  work: () => Promise<unknown>,
): Promise<readonly number[]> {
  const browser = context.browser()
  if (!browser) throw new Error('No browser to trace.')
  const cdp = await browser.newBrowserCDPSession()
  const events: TraceEvent[] = []
  cdp.on('Tracing.dataCollected', ({ value }) => void events.push(...(value as unknown as TraceEvent[])))
  const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve))
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline'] },
  })
  // Tells which of the browser's threads is this page's.
  await page.evaluate(() => console.timeStamp('here'))
  await work()
  await cdp.send('Tracing.end')
  await complete
  await cdp.detach()
  const here = events.find(({ name }) => name === 'TimeStamp')
  return events
    .filter(({ name, pid, tid }) => name === 'RunTask' && pid === here?.pid && tid === here.tid)
    .map(({ tdur = 0 }) => tdur / 1_000)
    .toSorted((a, b) => b - a)
}
