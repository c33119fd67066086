import {
  BlobSource,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MATROSKA,
  MP4,
  Mp4OutputFormat,
  Output,
  StreamTarget,
  WEBM,
  WebMOutputFormat,
  type EncodedPacket,
  type InputTrack,
} from 'mediabunny'
import { fromMedia, headerOf } from './container.ts'

/** A track of the file that is written. */
interface Track {
  add(packet: EncodedPacket): Promise<void>
}

/**
 * A recording as a file that plays everywhere: with its length, and an index to seek by, which a recorder that does not
 * know its end leaves out. Nothing is encoded anew; where something is missing, the picture goes on with the next one
 * that stands by itself, at its own time.
 *
 * @param runs parts of one recorder's file, in order; within each nothing is missing
 * @param header where the first does not begin with it
 * @throws Error where nothing of it plays
 */
export async function playable(
  runs: readonly Blob[],
  mimeType: string,
  header?: Blob,
  signal?: AbortSignal,
): Promise<Blob> {
  const isMp4 = mimeType.includes('mp4')
  const [first = new Blob()] = runs
  const head = header ?? (await headerOf(first, mimeType))
  const file = growingFile()
  const output = new Output({
    format: isMp4 ? new Mp4OutputFormat({ fastStart: false }) : new WebMOutputFormat(),
    target: new StreamTarget(file.writable, { chunked: true }),
  })
  const tracks = new Map<string, Track>()
  for (const [at, run] of runs.entries()) {
    const whole = at === 0 && header === undefined ? run : new Blob([head, await fromMedia(run, mimeType)])
    const input = new Input({ source: new BlobSource(whole), formats: [isMp4 ? MP4 : WEBM, MATROSKA] })
    try {
      await addRun(await input.getTracks())
    } finally {
      input.dispose()
    }
  }
  if (tracks.size === 0) throw new Error('Nothing of this recording plays by itself.')
  await output.finalize()
  return file.blob(mimeType)

  async function addRun(found: readonly InputTrack[]): Promise<void> {
    if (tracks.size === 0) {
      for (const track of found) await addTrack(track)
      if (tracks.size === 0) return
      await output.start()
    }
    for await (const { id, packet } of inOrder(found)) {
      signal?.throwIfAborted()
      await tracks.get(id)?.add(packet)
    }
  }

  async function addTrack(track: InputTrack): Promise<void> {
    const codec = await track.getCodec()
    if (track.isVideoTrack()) {
      const source = new EncodedVideoPacketSource(
        codec as ConstructorParameters<typeof EncodedVideoPacketSource>[0],
      )
      const decoderConfig = await track.getDecoderConfig()
      output.addVideoTrack(source, { rotation: await track.getRotation() })
      tracks.set(idOf(track), { add: (packet) => source.add(packet, decoderConfig ? { decoderConfig } : {}) })
    } else if (track.isAudioTrack()) {
      const source = new EncodedAudioPacketSource(
        codec as ConstructorParameters<typeof EncodedAudioPacketSource>[0],
      )
      const decoderConfig = await track.getDecoderConfig()
      output.addAudioTrack(source)
      tracks.set(idOf(track), { add: (packet) => source.add(packet, decoderConfig ? { decoderConfig } : {}) })
    }
  }
}

/** The same in each run, which has the header of the first. */
const idOf = ({ type, number }: InputTrack) => `${type} ${number}`

/** The packets of all tracks by time; of a picture from the first on that stands by itself. */
async function* inOrder(tracks: readonly InputTrack[]) {
  const readers = tracks.map((track) => ({ id: idOf(track), packets: packetsOf(track) }))
  const next = await Promise.all(
    readers.map(async ({ id, packets }) => ({ id, packets, result: await packets.next() })),
  )
  for (;;) {
    const [soonest] = next
      .filter(({ result }) => !result.done)
      .sort((a, b) => timeOf(a.result.value) - timeOf(b.result.value))
    if (soonest?.result.value === undefined) return
    yield { id: soonest.id, packet: soonest.result.value }
    soonest.result = await soonest.packets.next()
  }
}

const timeOf = (packet: EncodedPacket | void) => packet?.timestamp ?? Infinity

async function* packetsOf(track: InputTrack): AsyncGenerator<EncodedPacket, void, undefined> {
  let isOn = !track.isVideoTrack()
  for await (const packet of new EncodedPacketSink(track).packets()) {
    isOn ||= packet.type === 'key'
    if (isOn && packet.timestamp >= 0) yield packet
  }
}

/** A file that is written in any order, and that the browser may keep on its disk. */
function growingFile() {
  let file = new Blob()
  const writable = new WritableStream<{ data: Uint8Array<ArrayBuffer>; position: number }>({
    write({ data, position }) {
      const before = file.slice(0, position)
      const gap = new Uint8Array(Math.max(0, position - file.size))
      file = new Blob([before, gap, data, file.slice(position + data.length)])
    },
  })
  return {
    writable: writable as ConstructorParameters<typeof StreamTarget>[0],
    blob: (type: string) => new Blob([file], { type }),
  }
}
