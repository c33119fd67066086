// `holdfast/sw/extend`: what a transport or an anchor of an app is made of. Their contract is `holdfast/contracts`.

export { witnessByChain } from './engine/witness.ts'
export { HoldfastError, type ErrorClass, type ErrorCode } from '../src/protocol/errors.ts'
export type { ChunkId, Cid, GroupId, SessionId, Sha256Hex } from '../src/protocol/ids.ts'
export type { StoreChoice } from './core/record.ts'
export { adaptiveTimeout, type AdaptiveTimeout, type TimedRequest } from './http/adaptive-timeout.ts'
export { nextPartBytes } from './http/next-part.ts'
export { httpError, parseJsonObject, type Answer } from './http/request.ts'
export { retryAfterMs } from './http/retry-after.ts'
export { withAuth, type AuthReason, type Authorize } from './http/with-auth.ts'
export type {
  Anchor,
  AnchorRequest,
  Receipt,
  SignedHead,
  TakenHead,
  Witnessed,
  WitnessedHead,
} from './ports/anchor.ts'
export type { Clock, CreateWake, Wake } from './ports/platform.ts'
export type { Attempt, RemoteState, Transport, Upload } from './ports/transport.ts'
