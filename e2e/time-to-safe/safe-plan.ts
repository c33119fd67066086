/** What the page does by itself, once, told in its address. */
export interface Plan {
  /** Of the group that is recorded for: hex. */
  readonly publicKey: string
  readonly record: CameraPlan | BacklogPlan
}

/** Records the camera, then waits until all of it is confirmed. */
export interface CameraPlan {
  readonly from: 'camera'
  readonly recordMs: number
  readonly timesliceMs: number
  /**
   * What is recorded: the fake camera's picture is so plain that it gives less, so each slice is filled up with random
   * bytes.
   */
  readonly videoBitsPerSecond: number
  readonly seal: 'page' | 'worker'
}

/** Hands over random bytes: earlier chunks until they are uploaded, then a backlog at once, then fresh ones in time. */
export interface BacklogPlan {
  readonly from: 'backlog'
  /** Chunks of 1 KiB over an unshaped link. */
  readonly before: number
  readonly queued: number
  readonly queuedBytes: number
  /** These are measured, one each second. */
  readonly fresh: number
  readonly freshBytes: number
}

/** How a worker of the bench is set up; it reads this from its address. */
export interface WorkerSettings {
  readonly ipfs: string
  readonly rpcUrl: string
  readonly registry: string
  readonly relayUrl: string
}

/** What the page tells while it goes on. Times are ms since the epoch. */
export type Said =
  | { readonly type: 'began'; readonly name: string; readonly picture: 'camera' | 'canvas' | 'noise' }
  | {
      readonly type: 'captured'
      readonly index: number
      readonly atMs: number
      readonly durationMs: number
      readonly sizeBytes: number
    }
  | { readonly type: 'acknowledged'; readonly index: number; readonly atMs: number }
  /** The link is to be slow from now on; goes on once this is answered. */
  | { readonly type: 'shape' }
  /** Nothing more is recorded. */
  | { readonly type: 'over' }
  /** The engine says that all of it is confirmed. */
  | { readonly type: 'confirmed' }
  | { readonly type: 'broken'; readonly error: string }
