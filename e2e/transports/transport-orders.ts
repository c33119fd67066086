import type { RemoteState, Upload } from '../../sw/ports/transport.ts'
import type { AuthReason } from '../../sw/http/with-auth.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { VariantName, VariantSettings } from './variants.ts'

/** One call of a transport's method, for the worker to perform. */
export interface Order {
  readonly id: number
  /** Orders of one transport share its adaptive timeout. */
  readonly transportId: number
  readonly variant: VariantName
  readonly settings: VariantSettings
  readonly method: 'probe' | 'send' | 'verify'
  readonly upload: Upload
  readonly held: RemoteState
  readonly resumeToken: string
  readonly aborted: boolean
}

/** What the worker tells while it performs an order. `remember` is answered once it is kept. */
export type Told =
  | { readonly kind: 'save-resume-token'; readonly resumeToken: string }
  | { readonly kind: 'progress'; readonly offsetBytes: number }
  | { readonly kind: 'asked'; readonly reason: AuthReason }

/** How an order ended. */
export type Done =
  | { readonly kind: 'done'; readonly value: unknown }
  | {
      readonly kind: 'failed'
      readonly code: ErrorCode
      readonly message: string
      readonly retryAfterMs: number
    }

/** What the page tells the worker about an order under way. */
export type Nudge = 'kept' | 'abort'
