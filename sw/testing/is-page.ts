import { PAGE_LABEL } from '../../src/evidence/page.ts'

/** Whether an object at a store is a page of a log, by its label. */
export const isPage = (object: Uint8Array): boolean =>
  new TextDecoder().decode(object.subarray(0, PAGE_LABEL.length)) === PAGE_LABEL
