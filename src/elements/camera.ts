import { texts } from './texts.ts'

/** What is recorded from. */
export interface Source {
  readonly stream: MediaStream
  /** It is made up, such as a test picture: the recording says so, too. */
  readonly isTestPicture?: boolean | undefined
  /** Shown over the picture, such as that it is no camera's. */
  readonly badge?: string | undefined
  /** What a person should know about it; undefined when all is as expected. */
  readonly note?: string | undefined
  /** Called when the recording is over. */
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

const camera = (stream: MediaStream, note?: string): Source => ({
  stream,
  note,
  close: () => stream.getTracks().forEach((track) => track.stop()),
})

/** Why a camera could not be opened, in words. */
export function whyNoCamera(thrown: unknown): string {
  const { name } = Object(thrown)
  if (name === 'NotAllowedError') return texts.source.cameraRefused
  return name === 'NotReadableError' ? texts.source.cameraInUse : texts.source.noCamera
}
