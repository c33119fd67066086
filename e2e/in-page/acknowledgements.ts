import type { Page } from '@playwright/test'

/** Ids of the chunks that the worker acknowledged to one page, `<session>/<index>`, in the order of the answers. */
export type Acknowledgements = readonly string[]

/** Listens to every answer that the worker gives this page; call it before the page is opened. */
export async function keepAcknowledgements(page: Page): Promise<Acknowledgements> {
  const acknowledged: string[] = []
  await page.exposeFunction('keepAcknowledgement', (id: string) => {
    acknowledged.push(id)
  })
  await page.addInitScript(listenToAnswers)
  return acknowledged
}

/** Runs in the page: an answer comes on the first port of a channel whose second went with the request. */
function listenToAnswers(): void {
  const keep: (id: string) => void = Reflect.get(window, 'keepAcknowledgement')
  const acknowledgedIn = (data: { value?: { acknowledged?: string } } | null) => data?.value?.acknowledged
  // Told only once the slice has reached the test too, so that a page that dies in between leaves neither.
  const sliceKept = async (id: string) => {
    const kept: Promise<void>[] | undefined = Reflect.get(window, 'keptSlices')
    await kept?.[Number(id.slice(id.lastIndexOf('/') + 1))]
  }
  window.MessageChannel = class extends MessageChannel {
    constructor() {
      super()
      this.port1.addEventListener('message', ({ data }) => {
        const id = acknowledgedIn(data)
        if (id !== undefined) void sliceKept(id).then(() => keep(id))
      })
    }
  }
}
