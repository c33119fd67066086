import type { CDPSession, Page } from '@playwright/test'

/** What `showRows` took of the thread on the machine that the bounds of these tests are of. */
const ROWS_MS = 150

/** CPU time of the page's thread so far, ms. */
export async function threadMs(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000
}

/** Work of the browser alone, of the kind that is measured: 2,000 plain rows are made, drawn and taken away. */
const showRows = async () => {
  const list = document.createElement('ol')
  for (let at = 0; at < 2_000; at++) {
    const row = document.createElement('li')
    const word = document.createElement('span')
    word.textContent = `Piece ${at}`
    const button = document.createElement('button')
    button.textContent = 'Copy'
    row.append(word, button)
    list.append(row)
  }
  document.body.append(list)
  await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  list.remove()
}

/**
 * How many times slower this machine is now than the one that the bounds are of: CPU time is stretched too,
 * by slower cores and by whoever else takes their caches.
 *
 * @returns at least 1
 */
export async function slowness(page: Page, cdp: CDPSession): Promise<number> {
  const before = await threadMs(cdp)
  await page.evaluate(showRows)
  return Math.max(1, ((await threadMs(cdp)) - before) / ROWS_MS)
}
