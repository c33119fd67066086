/**
 * What the address line may change: `?timeslice=500` cuts shorter chunks, `?source=canvas` forces the test picture,
 * `?seal=worker` leaves the encryption to the worker.
 */
export interface Settings {
  readonly timesliceMs: number
  readonly forceTestPicture: boolean
  readonly seal: 'page' | 'worker'
}

const DEFAULT_TIMESLICE_MS = 3_000
const SHORTEST_TIMESLICE_MS = 100

/** Reads the settings from a query string; what makes no sense is the default. */
export function readSettings(query: string): Settings {
  const parameters = new URLSearchParams(query)
  const timeslice = Number(parameters.get('timeslice'))
  return {
    timesliceMs: timeslice >= SHORTEST_TIMESLICE_MS ? timeslice : DEFAULT_TIMESLICE_MS,
    forceTestPicture: parameters.get('source') === 'canvas',
    seal: parameters.get('seal') === 'worker' ? 'worker' : 'page',
  }
}
