import type { Capabilities } from '../../src/capabilities.ts'

/** A browser that runs as a process of ours. */
export interface Running {
  /** SIGKILL to the browser and all its children. */
  kill(): Promise<void>
}

/** One of the three engines, as it is installed here. */
export interface Engine {
  readonly name: 'Chromium' | 'Firefox' | 'WebKit'
  /** What was found, as its vendor names it; undefined where none is installed. */
  readonly found: string | undefined
  /** Starts it on a profile that is kept, without a debugger. */
  start(profile: string, url: string): Promise<Running>
  /** What is true of this engine, each row a test. */
  readonly expected: Pick<Capabilities, 'payloadForm'> & {
    readonly backgroundWakes: { readonly kind: string }
  }
}
