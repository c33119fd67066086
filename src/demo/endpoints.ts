/* oxlint-disable no-underscore-dangle -- a name that the build replaces: see `vite.config.ts` */
declare const __HOLDFAST_ENDPOINTS__: Endpoints

/** Where a reader finds the chain and the store. Uploading is the worker's business. */
export interface Endpoints {
  readonly gateway: string
  readonly rpcUrl: string
  readonly registry: `0x${string}`
  readonly chainId: number
}

/** The endpoints that this build was made for. */
export const endpoints = (): Endpoints => __HOLDFAST_ENDPOINTS__

/** The page on the gateway that shows one content address. */
export const gatewayUrl = (cid: string) => `${endpoints().gateway}/ipfs/${cid}`
