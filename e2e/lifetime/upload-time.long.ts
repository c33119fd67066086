import { recordThenClose, settledBy, type Death } from './death.ts'
import { expect, test, type Lane } from './fixtures.ts'
import { measured } from './measured.ts'
import { spansText, uploadedBytes, uploadSec, uploadSpans, type Span } from './upload-time.ts'

/** Of each request, which takes 8 s so: with five lanes 20 minutes of upload and more are left when the tab closes. */
const BYTES_PER_SEC = 32_000
const CHUNK_BYTES = 256_000
const CHUNKS = 1_124
const OPEN_MS = 300_000
/** The last attempt of the last tag is over by then. */
const WATCHED_MS = 1_720_000

async function watchDeath(lane: Lane, plain: boolean): Promise<{ death: Death; spans: Span[] }> {
  const { backend } = lane
  backend.faults.add({ service: 'ipfs', match: '/add', kind: 'slow', bytesPerSec: BYTES_PER_SEC })
  const death = await recordThenClose(lane, {
    openMs: OPEN_MS,
    chunks: CHUNKS,
    chunkBytes: CHUNK_BYTES,
    plain,
  })
  const settled = await settledBy(backend, death, death.atMs + WATCHED_MS)
  const entries = backend.ledger.all()
  const spans = uploadSpans(entries, death.atMs)
  const minutes = (uploadSec(spans, 1_500) / 60).toFixed(1)
  const bytes = uploadedBytes(entries, death.atMs, 1_500)
  await measured(
    `${plain ? 'one plain tag' : 'schedule'}: ${minutes} min of upload and ${bytes} bytes in the first 25 min; ` +
      `${(uploadSec(spans, Infinity) / 60).toFixed(1)} min and ${uploadedBytes(entries, death.atMs, 1e9)} bytes in all; ` +
      `${settled ? 'finished' : 'not finished'}; uploads at ${spansText(spans)} s; ` +
      `workers born at ${lane.site.births.map((at) => Math.round((at - death.atMs) / 1000)).join(', ')} s`,
  )
  return { death, spans }
}

// Promise 9 of docs/guarantees.md.
test('the schedule gives at least 15 minutes of upload in the first 25 after the death of the tab', async ({
  lane,
}) => {
  const { spans } = await watchDeath(lane, false)
  expect(uploadSec(spans, 1_500)).toBeGreaterThanOrEqual(15 * 60)
})

test('one plain tag gives three attempts, 5 and 15 minutes apart, each of which is used to its end', async ({
  lane,
}) => {
  const { spans } = await watchDeath(lane, true)
  expect(uploadSec(spans, 1_500)).toBeLessThanOrEqual(9 * 60)
  // The first attempt began with the recording; what the last message left of its time comes before the second.
  const attempts = spans.filter(({ fromSec, toSec }) => fromSec > 0 || toSec > 300).slice(-2)
  const [second, third] = attempts
  if (second === undefined || third === undefined) throw new Error('An attempt did not happen.')
  expect(second.toSec).toBeGreaterThanOrEqual(150)
  expect(third.fromSec - second.toSec).toBeGreaterThan(840)
  expect(third.fromSec - second.toSec).toBeLessThan(960)
  expect(third.toSec - third.fromSec).toBeGreaterThanOrEqual(145)
})
