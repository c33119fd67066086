/**
 * - `port-taken`: another program listens where the backend wanted to
 * - `data-dir-busy`: a running backend owns that data folder
 * - `anvil-missing`: the chain's program is not installed for this platform
 * - `anvil-failed`: the chain's program ended, or did not answer, at its start
 * - `chain-stopped`: a control needs a running chain
 * - `reorg-too-deep`: the chain keeps no state that old
 * - `registry-broken`: the registry contract does not compile, or could not be deployed
 * - `bad-rule`: a fault that makes no sense
 */
export type BackendErrorCode =
  | 'port-taken'
  | 'data-dir-busy'
  | 'anvil-missing'
  | 'anvil-failed'
  | 'chain-stopped'
  | 'reorg-too-deep'
  | 'registry-broken'
  | 'bad-rule'

/** Why the backend cannot do as told; the message says what to do about it. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  readonly code: BackendErrorCode

  constructor(code: BackendErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `error.code` of a Node system error, such as `ENOENT`. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
