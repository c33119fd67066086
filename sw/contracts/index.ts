// `holdfast/contracts`: what every adapter must do, as cases that need no test runner. Run each in yours:
// `for (const { title, run } of TRANSPORT_CONTRACT) test(title, () => run(harness()))`.

export { ANCHOR_CONTRACT, type AnchorCase, type AnchorFault, type AnchorHarness } from './anchor.contract.ts'
export { STORE_CASES, type StoreCase } from './store.contract.ts'
export {
  TRANSPORT_CONTRACT,
  type SeenRequest,
  type StoreFault,
  type StoreFaultHandle,
  type TransportCase,
  type TransportHarness,
} from './transport.contract.ts'
