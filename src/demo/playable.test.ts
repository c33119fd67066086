import {
  BlobSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MATROSKA,
  Output,
  WEBM,
  WebMOutputFormat,
} from 'mediabunny'
import { beforeAll, describe, expect, it } from 'vitest'
import { beginsFile, firstMedia, fromMedia, headerOf, isFile } from './container.ts'
import { playable } from './playable.ts'

const TYPE = 'video/webm;codecs=vp8,opus'
const FRAMES = 200
const FRAME_SECONDS = 0.05
/** As rarely as browsers make them. */
const KEY_EVERY = 40

/** What a recorder makes: no length, no index, a Cluster each half second. */
async function recorded(): Promise<Blob> {
  const target = new BufferTarget()
  const format = new WebMOutputFormat({ appendOnly: true, minimumClusterDuration: 0.5 })
  const output = new Output({ format, target })
  const video = new EncodedVideoPacketSource('vp8')
  const audio = new EncodedAudioPacketSource('opus')
  output.addVideoTrack(video)
  output.addAudioTrack(audio)
  await output.start()
  for (let at = 0; at < FRAMES; at++) {
    const type = at % KEY_EVERY === 0 ? 'key' : 'delta'
    const data = (size: number) => new Uint8Array(size).fill(at)
    const time = at * FRAME_SECONDS
    await video.add(new EncodedPacket(data(400), type, time, FRAME_SECONDS), {
      decoderConfig: { codec: 'vp8', codedWidth: 160, codedHeight: 120 },
    })
    await audio.add(new EncodedPacket(data(40), 'key', time, FRAME_SECONDS), {
      decoderConfig: { codec: 'opus', sampleRate: 48_000, numberOfChannels: 1 },
    })
  }
  await output.finalize()
  return new Blob([target.buffer ?? ''])
}

/** What a player finds in a file. */
async function inFile(file: Blob) {
  const bytes = Buffer.from(await file.arrayBuffer())
  const input = new Input({ source: new BlobSource(file), formats: [WEBM, MATROSKA] })
  const track = await input.getPrimaryVideoTrack()
  const times: number[] = []
  const keys: boolean[] = []
  if (track)
    for await (const packet of new EncodedPacketSink(track).packets()) {
      times.push(Math.round(packet.timestamp / FRAME_SECONDS))
      keys.push(packet.type === 'key')
    }
  return {
    times,
    keys,
    lengthSeconds: await input.getDurationFromMetadata(),
    hasCues: bytes.includes(Buffer.from([0x1c, 0x53, 0xbb, 0x6b])),
  }
}

let file: Blob
const part = (of: number) => Math.floor(file.size * of)
beforeAll(async () => {
  file = await recorded()
})

describe('playable', () => {
  it('gives the recorder’s file its length and an index, and every frame', async () => {
    expect(await inFile(file)).toMatchObject({ lengthSeconds: null })
    const made = await inFile(await playable([file], TYPE))
    expect(made.times).toEqual(Array.from({ length: FRAMES }, (_, at) => at))
    expect(made.lengthSeconds).toBeCloseTo(FRAMES * FRAME_SECONDS, 0)
    expect(made.hasCues).toBe(true)
  })

  it('takes a file in parts that were cut anywhere', async () => {
    const cut = Math.floor(file.size / 3)
    const made = await inFile(await playable([new Blob([file.slice(0, cut), file.slice(cut)])], TYPE))
    expect(made.times).toHaveLength(FRAMES)
  })

  it('goes on after a gap with the next frame that stands by itself, at its own time', async () => {
    const [first, third] = [file.slice(0, part(0.45)), file.slice(part(0.7))]
    const { times, keys, lengthSeconds } = await inFile(await playable([first, third], TYPE))
    expect(times[0]).toBe(0)
    const after = times.findIndex((time, at) => at > 0 && time > (times[at - 1] ?? 0) + 1)
    expect(keys[after]).toBe(true)
    expect(times[after]).toBe(160)
    expect(times.at(-1)).toBe(FRAMES - 1)
    expect(lengthSeconds).toBeCloseTo(FRAMES * FRAME_SECONDS, 0)
  })

  it('makes a file of the rest of a recording, with the header of its beginning', async () => {
    const header = await headerOf(file, TYPE)
    const rest = file.slice(part(0.5))
    const { times, keys } = await inFile(await playable([rest], TYPE, header))
    expect(keys[0]).toBe(true)
    expect(times.at(-1)).toBe(FRAMES - 1)
  })

  it('says so where nothing of it plays', async () => {
    await expect(playable([new Blob(['no video'])], TYPE)).rejects.toThrow()
    await expect(playable([], TYPE)).rejects.toThrow()
    await expect(playable([file], TYPE, undefined, AbortSignal.abort('enough'))).rejects.toBe('enough')
  })
})

describe('the container', () => {
  it('is told by its beginning', async () => {
    expect(await isFile(file)).toBe(true)
    expect(await isFile(file.slice(1))).toBe(false)
    const text = (of: string) => new TextEncoder().encode(of)
    expect(beginsFile(text('....ftypisom'))).toBe(true)
    expect(firstMedia(text('....ftyp........moof'), 'video/mp4')).toBe(12)
  })

  it('is found where it begins, also over the edge of what is looked at at once', async () => {
    const at = 1024 * 1024 - 2
    const header = await headerOf(file, TYPE)
    const late = new Blob([new Uint8Array(at), file.slice(header.size)])
    expect((await fromMedia(late, TYPE)).size).toBe(late.size - at)
    expect((await fromMedia(new Blob(['nothing']), TYPE)).size).toBe(0)
    // The name of a Cluster within a frame is none.
    expect(firstMedia(new Uint8Array([0x1f, 0x43, 0xb6, 0x75, 0x81, 0]), TYPE)).toBeUndefined()
  })
})
