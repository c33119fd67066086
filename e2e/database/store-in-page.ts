import { format1Sessions, openFormat1 } from '../../src/format-1.ts'
import { idbStore } from '../../sw/adapters/store/idb.ts'
import { STORE_CASES } from '../../sw/contracts/store.contract.ts'

/** What the page offers to a test. */
const storePage = {
  idbStore,
  format1Sessions,
  openFormat1,
  /** Runs one case of the contract on an empty database. */
  runCase: async (title: string) => {
    const store = idbStore(`case ${crypto.randomUUID()}`)
    await STORE_CASES.find((one) => one.title === title)?.run(store)
    store.close()
  },
}

declare global {
  interface Window {
    storePage: typeof storePage
  }
}

globalThis.window.storePage = storePage
