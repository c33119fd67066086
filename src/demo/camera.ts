import { openTestPicture } from './test-picture.ts'
import { texts } from './texts.ts'

/** What is recorded from. `kind` and `note` say honestly whether that is the camera. */
export interface Source {
  readonly stream: MediaStream
  readonly kind: 'camera' | 'test-picture'
  /** What a person should know about it; undefined when all is as expected. */
  readonly note?: string
  close(): void
}

const VIDEO = {
  facingMode: { ideal: 'environment' },
  width: { ideal: 1280 },
  height: { ideal: 720 },
} as const

/**
 * Opens the camera, with its microphone where there is one.
 *
 * @returns in words why there is none
 */
export async function openCamera(): Promise<Source | string> {
  try {
    return camera(await navigator.mediaDevices.getUserMedia({ video: VIDEO, audio: true }))
  } catch (withSound) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: VIDEO })
      return camera(stream, texts.source.noMicrophone)
    } catch {
      return whyNoCamera(withSound)
    }
  }
}

/** A moving picture that says in each frame that it is no evidence. */
export const testPicture = (note: string): Source => ({ kind: 'test-picture', note, ...openTestPicture() })

const camera = (stream: MediaStream, note?: string): Source => ({
  stream,
  kind: 'camera',
  ...(note === undefined ? {} : { note }),
  close: () => stream.getTracks().forEach((track) => track.stop()),
})

function whyNoCamera(thrown: unknown): string {
  const name = thrown instanceof Error ? thrown.name : ''
  if (name === 'NotAllowedError') return texts.source.cameraRefused
  return name === 'NotReadableError' ? texts.source.cameraInUse : texts.source.noCamera
}
