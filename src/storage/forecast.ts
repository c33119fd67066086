import { bad } from '../bad-input.ts'
import { optionsOf, type Known } from '../options.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import type { StorageEstimateBytes } from '../storage-warning.ts'

export interface ForecastOptions {
  /** What is on this device: the worker's own ledger. */
  readonly sessions: readonly Pick<SessionSnapshot, 'localBytes' | 'progress' | 'startedAtMs'>[]
  /** The browser's figures, where it has any. */
  readonly estimate?: StorageEstimateBytes | undefined
  /** What was found by trial to have room, at least: as `roomUpTo` tells. */
  readonly triedBytes?: number | undefined
  /** Of video, while no recording tells it; default 312, which is 2.5 Mbit/s. */
  readonly bytesPerMs?: number | undefined
}

const FORECAST: Known<ForecastOptions> = { sessions: 1, estimate: 1, triedBytes: 1, bytesPerMs: 1 }

/** Storage in time: what a person records is minutes, not bytes. */
export interface StorageForecast {
  /** Evidence on this device, which uploads free. */
  readonly localBytes: number
  readonly localMs: number
  /** Room for more, by the smaller of figures and trial; undefined where neither tells. */
  readonly freeBytes: number | undefined
  readonly freeMs: number | undefined
  /** Less than two minutes of video have room. */
  readonly isSoonFull: boolean
  /** What the newest recording takes, or video as it was assumed. */
  readonly bytesPerMs: number
}

/** How long before it is full a person is told, ms. */
export const WARN_BEFORE_MS = 120_000

/** 2.5 Mbit/s, which is what Chromium records at unless told. */
const BYTES_PER_MS = 312

/** Room that the worker keeps, so that a full device can still write down what frees it. */
const RESERVE_BYTES = 4 * 1024 * 1024

/**
 * How much video is on this device, and for how much more there is room.
 *
 * @throws HoldfastError `bad-input`
 */
export function storageForecast(options: ForecastOptions): StorageForecast {
  const { sessions, estimate, triedBytes, bytesPerMs: assumed = BYTES_PER_MS } = optionsOf(options, FORECAST)
  if (!Array.isArray(sessions)) throw bad('sessions', 'a list, as a snapshot has it.')
  const rateOf = ({ progress: { totalBytes, totalMs } }: (typeof sessions)[number]) =>
    totalBytes > 0 && totalMs > 0 ? totalBytes / totalMs : undefined
  const newestFirst = [...sessions].sort((a, b) => b.startedAtMs - a.startedAtMs)
  const bytesPerMs = newestFirst.map(rateOf).find((rate) => rate !== undefined) ?? assumed
  const localBytes = sum(sessions.map((session) => session.localBytes))
  const localMs = sum(sessions.map((session) => session.localBytes / (rateOf(session) ?? bytesPerMs)))
  const known = [triedBytes, estimate && estimate.quota > 0 ? estimate.quota - estimate.usage : undefined]
  const least = Math.min(...known.filter((bytes) => bytes !== undefined))
  const freeBytes = Number.isFinite(least) ? Math.max(0, least - RESERVE_BYTES) : undefined
  const freeMs = freeBytes === undefined ? undefined : freeBytes / bytesPerMs
  return {
    localBytes,
    localMs,
    freeBytes,
    freeMs,
    isSoonFull: freeMs !== undefined && freeMs < WARN_BEFORE_MS,
    bytesPerMs,
  }
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
