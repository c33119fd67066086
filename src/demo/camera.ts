import { openTestPicture } from './test-picture.ts'

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

/** Opens camera and microphone or, where there is none or it is refused, a test picture with a tone. */
export async function openSource(forceTestPicture: boolean): Promise<Source> {
  if (forceTestPicture) return testPicture('Recording a test picture, as the address of this page asks.')
  try {
    return camera(await navigator.mediaDevices.getUserMedia({ video: VIDEO, audio: true }))
  } catch (withSound) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: VIDEO })
      return camera(stream, 'No microphone: recording without sound.')
    } catch {
      return testPicture(whyNoCamera(withSound))
    }
  }
}

const camera = (stream: MediaStream, note?: string): Source => ({
  stream,
  kind: 'camera',
  ...(note === undefined ? {} : { note }),
  close: () => stream.getTracks().forEach((track) => track.stop()),
})

const testPicture = (note: string): Source => ({ kind: 'test-picture', note, ...openTestPicture() })

function whyNoCamera(thrown: unknown): string {
  const name = thrown instanceof Error ? thrown.name : ''
  if (name === 'NotAllowedError')
    return 'Camera refused: recording a test picture. Allow the camera in the site settings, then record again.'
  if (name === 'NotReadableError')
    return 'The camera is in use: recording a test picture. Close the other app, then record again.'
  return 'No camera: recording a test picture.'
}
