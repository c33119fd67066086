import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { LedgerEntry } from '../../backend/ledger.ts'
import { presignedPut, type Grant } from '../../../sw/adapters/transports/put.ts'
import { freshObject } from '../../transports/objects.ts'
import { requestsOf, startBucket, wasOvertaken } from './bucket.ts'

it('tells what was sent again while it still read what a dead browser had sent, which costs no more than that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bucket-'))
  /** Each lets one PUT go on. */
  const puts: (() => void)[] = []
  const bucket = await startBucket(
    folder,
    () => Infinity,
    () => new Promise((goOn) => puts.push(goOn)),
  )
  const grant: Grant = async (wanted) => {
    const response = await fetch(`${bucket.url}/presign`, { method: 'POST', body: JSON.stringify(wanted) })
    return response.json()
  }
  try {
    const [dead, next] = [presignedPut({ grant }), presignedPut({ grant })]
    const { bytes, upload, attempt } = await freshObject(300_000)
    const sent = dead.send(upload, bytes, { kind: 'nothing' }, attempt)
    await expect.poll(() => puts.length).toBe(1)
    const held = await next.probe(upload, attempt)
    expect(held).toEqual({ kind: 'nothing' })
    const again = next.send(upload, bytes, held, attempt)
    await expect.poll(() => puts.length).toBe(2)
    puts[0]?.()
    expect(await sent).toBe('proved')
    puts[1]?.()
    expect(await again).toBe('sent')
    await next.verify?.(upload, attempt)
    expect(bucket.made.map(({ status }) => status)).toEqual([200, 412])
    expect(wasOvertaken(bucket, upload.cid)).toBe(true)
    // Sent again by who was not told that it is not there, it is sent for nothing.
    expect(wasOvertaken({ ...bucket, missed: [] }, upload.cid)).toBe(false)
  } finally {
    await bucket.close()
    await rm(folder, { recursive: true })
  }
})

it('tells the same by the ledger of a store that keeps what it has', () => {
  const entry = (at: number, path: string, more: object) =>
    ({
      service: 'ipfs',
      method: 'POST',
      key: 'cid',
      path,
      at,
      durationMs: 100,
      ...more,
    }) as unknown as LedgerEntry
  const sent = entry(0, '/api/v0/add', { changed: true, durationMs: 290 })
  const asked = (at: number) => entry(at, '/api/v0/pin/ls', { status: 500 })
  const again = entry(320, '/api/v0/add', { status: 200, duplicate: true })
  const store = { service: 'ipfs', method: 'POST' } as const
  const isTold = (...ledger: LedgerEntry[]) => wasOvertaken(requestsOf(ledger, store), 'cid')
  expect(isTold(sent, asked(135), again)).toBe(true)
  // Nobody was told so while it was read; or it was sent a third time.
  expect(isTold(sent, again)).toBe(false)
  expect(isTold(sent, asked(300), again)).toBe(false)
  expect(isTold(sent, asked(135), again, again)).toBe(false)
})
