import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { presignedPut, type Grant } from '../../../sw/adapters/transports/put.ts'
import { freshObject } from '../../transports/objects.ts'
import { startBucket, wasOvertaken } from './bucket.ts'

it('tells what was sent again while it still read what a dead browser had sent, which costs no more than that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bucket-'))
  const bucket = await startBucket(folder, () => 100_000)
  const grant: Grant = async (wanted) => {
    const response = await fetch(`${bucket.url}/presign`, { method: 'POST', body: JSON.stringify(wanted) })
    return response.json()
  }
  try {
    const [dead, next] = [presignedPut({ grant }), presignedPut({ grant })]
    const { bytes, upload, attempt } = await freshObject(300_000)
    const sent = dead.send(upload, bytes, { kind: 'nothing' }, attempt)
    let held = await next.probe(upload, attempt)
    // It is asked again and again, so that once is while the bucket reads.
    while (bucket.missed.length < 20 && bucket.made.length === 0) held = await next.probe(upload, attempt)
    expect(held).toEqual({ kind: 'nothing' })
    expect(await next.send(upload, bytes, held, attempt)).toBe('sent')
    await next.verify?.(upload, attempt)
    expect(await sent).toBe('proved')
    expect(bucket.made.map(({ status }) => status)).toEqual([200, 412])
    expect(wasOvertaken(bucket, upload.cid)).toBe(true)
    // Sent again by who was not told that it is not there, it is sent for nothing.
    expect(wasOvertaken({ ...bucket, missed: [] }, upload.cid)).toBe(false)
  } finally {
    await bucket.close()
    await rm(folder, { recursive: true })
  }
})
