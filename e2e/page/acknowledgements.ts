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
  window.MessageChannel = class extends MessageChannel {
    constructor() {
      super()
      this.port1.addEventListener('message', ({ data }) => {
        const id = acknowledgedIn(data)
        if (id !== undefined) keep(id)
      })
    }
  }
}
