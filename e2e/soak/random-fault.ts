import type { FaultRule } from '../backend/index.ts'
import type { Random } from './seeded-random.ts'

const REQUESTS = [
  { service: 'ipfs', match: '/add' },
  { service: 'ipfs', match: '/add' },
  { service: 'ipfs', match: '/pin/ls' },
  { service: 'relay', match: '/relay' },
  { service: 'chain', match: 'eth_' },
] as const satisfies Pick<FaultRule, 'service' | 'match'>[]

/** Some way in which some server misbehaves, for one to three requests. */
export function randomFault(random: Random): FaultRule {
  const scope = { ...random.pick(REQUESTS), times: random.between(1, 4) }
  // A store that lies about its pins cannot be found out without reading everything back, and the chain has no lie.
  const liable = scope.match === '/add' || scope.service === 'relay'
  const faults: FaultRule[] = [
    { ...scope, kind: 'status', status: 500 },
    { ...scope, kind: 'status', status: 503, retryAfter: 1 },
    { ...scope, kind: 'status', status: 429, retryAfter: 1 },
    { ...scope, kind: 'reset', afterBytes: random.between(0, 20_000) },
    { ...scope, kind: 'slow', bytesPerSec: random.between(20_000, 200_000) },
    { ...scope, kind: 'forget-answer' },
    { ...scope, kind: 'truncate' },
    { ...scope, kind: 'empty' },
    { ...scope, kind: 'stall' },
    { ...scope, kind: liable ? 'lie' : 'down' },
  ]
  return random.pick(faults)
}
