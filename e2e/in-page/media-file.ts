import type { Page } from '@playwright/test'
import { BlobSource, EncodedPacketSink, Input, MATROSKA, MP4, WEBM } from 'mediabunny'

/** What a player finds in a file before it plays it. */
export interface MediaFile {
  /** As the file itself says; null where it does not. */
  readonly lengthSeconds: number | null
  /** Of the last frame or sound. */
  readonly endsAtSeconds: number
  readonly hasCues: boolean
  /** Whether its picture begins with a frame that stands by itself. */
  readonly beginsWithKey: boolean
}

export async function lookIntoFile(bytes: Buffer<ArrayBuffer>): Promise<MediaFile> {
  const input = new Input({ source: new BlobSource(new Blob([bytes])), formats: [WEBM, MATROSKA, MP4] })
  const video = await input.getPrimaryVideoTrack()
  const first = video && (await new EncodedPacketSink(video).getFirstPacket())
  return {
    lengthSeconds: await input.getDurationFromMetadata(),
    endsAtSeconds: await input.computeDuration(),
    hasCues: bytes.includes(Buffer.from([0x1c, 0x53, 0xbb, 0x6b])),
    beginsWithKey: first?.type === 'key',
  }
}

/** Plays a file in a page: what the player says of its length, seeks into its middle, and then plays to the end. */
export async function playFile(page: Page, bytes: Buffer, type: string) {
  await page.goto('about:blank')
  await page.setContent('<video muted></video>')
  return page.locator('video').evaluate(
    async (video: HTMLVideoElement, [base64, mimeType]) => {
      const data = Uint8Array.from(atob(base64 ?? ''), (character) => character.charCodeAt(0))
      const heard = (event: string) =>
        new Promise((resolve, reject) => {
          video.addEventListener(event, resolve, { once: true })
          video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true })
        })
      const loaded = heard('loadedmetadata')
      video.src = URL.createObjectURL(new Blob([data], { type: mimeType ?? '' }))
      await loaded
      const { duration } = video
      const seekableTo = video.seekable.length > 0 ? video.seekable.end(0) : 0
      const seeked = heard('seeked')
      video.currentTime = duration / 2
      await seeked
      const ended = heard('ended')
      video.playbackRate = 4
      await video.play()
      await ended
      return { duration, seekableTo, endedAt: video.currentTime }
    },
    [bytes.toString('base64'), type] as const,
  )
}
