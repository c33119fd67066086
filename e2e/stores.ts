import type { FaultRule } from './backend/index.ts'

/** The stores that the engine is tried with, and which of their requests carry content. */
export const STORES = {
  ipfs: { service: 'ipfs', method: 'POST', match: '/api/v0/add' },
  tus: { service: 'tus', method: 'PATCH', match: '/tus/' },
  put: { service: 'put', method: 'PUT', match: '/put/objects/' },
  pinata: { service: 'pinata', method: 'POST', match: '/pinata/v3/files' },
} as const satisfies Record<string, Pick<FaultRule, 'service' | 'method' | 'match'>>

/** The body of a request that brings a page of a log to a store has this; one with a chunk is all else. */
export const A_PAGE = 'holdfast/page/v2'
export const A_CHUNK: RegExp = /^(?![^]*holdfast\/page\/v2)/

export type StoreName = keyof typeof STORES
