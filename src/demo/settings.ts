/**
 * What the address line may change: `?timeslice=500` cuts shorter slices, `?chunk=0` joins none of them, `?source=canvas` forces the test picture,
 * `?seal=worker` leaves the encryption to the worker, `?atLeast=1` is content with one copy where the worker has several
 * stores.
 */
export interface Settings {
  readonly timesliceMs: number
  /** Absent: what waits in the page is joined up to the default. */
  readonly chunkMs?: number
  readonly forceTestPicture: boolean
  readonly seal: 'page' | 'worker'
  /** Absent: a copy in each store. */
  readonly atLeast?: number
}

/** What a death costs at most, beside what the worker has not taken yet. */
const DEFAULT_TIMESLICE_MS = 1_000
const SHORTEST_TIMESLICE_MS = 100

/** Reads the settings from a query string; what makes no sense is the default. */
export function readSettings(query: string): Settings {
  const parameters = new URLSearchParams(query)
  const timeslice = Number(parameters.get('timeslice'))
  const chunk = parameters.get('chunk')
  const atLeast = Number(parameters.get('atLeast'))
  return {
    timesliceMs: timeslice >= SHORTEST_TIMESLICE_MS ? timeslice : DEFAULT_TIMESLICE_MS,
    ...(chunk !== null && Number(chunk) >= 0 && { chunkMs: Number(chunk) }),
    forceTestPicture: parameters.get('source') === 'canvas',
    seal: parameters.get('seal') === 'worker' ? 'worker' : 'page',
    ...(atLeast > 0 && { atLeast }),
  }
}
