import type { FaultRule } from './backend/index.ts'

/** The stores that the engine is tried with, and which of their requests carry content. */
export const STORES = {
  ipfs: { service: 'ipfs', method: 'POST', match: '/api/v0/add' },
  tus: { service: 'tus', method: 'PATCH', match: '/tus/' },
  put: { service: 'put', method: 'PUT', match: '/put/objects/' },
  pinata: { service: 'pinata', method: 'POST', match: '/pinata/v3/files' },
} as const satisfies Record<string, Pick<FaultRule, 'service' | 'method' | 'match'>>

export type StoreName = keyof typeof STORES
