import type { Page } from '@playwright/test'

type Shift = PerformanceEntry & {
  readonly value: number
  readonly hadRecentInput: boolean
  readonly sources: readonly { readonly node: Node | null }[]
}

/** Runs in the page: sums what moves by itself, from the first paint on (web.dev/cls), and keeps what it was. */
export function sumShifts(): void {
  let sum = 0
  const moved: string[] = []
  Reflect.set(window, 'shifts', () => ({ sum, moved: moved.join(', ') }))
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries() as Shift[]) {
      if (hadRecentInput) continue
      sum += value
      for (const { node } of sources) if (node instanceof Element) moved.push(`${node.id} ${node.className}`)
    }
  }).observe({ type: 'layout-shift', buffered: true })
}

/** What moved so far, and its share of the page. */
export const shiftsOf = (page: Page) =>
  page.evaluate(() => (Reflect.get(window, 'shifts') as () => { sum: number; moved: string })())
