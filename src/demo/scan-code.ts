/** What browsers have of https://wicg.github.io/shape-detection-api, some of them. */
interface BarcodeDetector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>
}
interface BarcodeDetectorClass {
  new (options: { readonly formats: readonly string[] }): BarcodeDetector
  getSupportedFormats(): Promise<readonly string[]>
}

const LOOK_EVERY_MS = 200

const detectorClass = () => Reflect.get(globalThis, 'BarcodeDetector') as BarcodeDetectorClass | undefined

/** Whether this browser reads QR codes; elsewhere the phone's own camera app does. */
export async function canScan(): Promise<boolean> {
  const formats = await detectorClass()
    ?.getSupportedFormats()
    .catch(() => undefined)
  return formats?.includes('qr_code') ?? false
}

/**
 * Looks for a code with the camera until one of them will do, or the signal aborts.
 *
 * @param willDo is asked for each code that was read
 * @throws DOMException as `getUserMedia` does where there is no camera; the signal's reason
 */
export async function scanCode(
  video: HTMLVideoElement,
  willDo: (text: string) => boolean,
  signal: AbortSignal,
): Promise<string> {
  const Detector = detectorClass()
  if (!Detector) throw new Error('This browser reads no codes')
  const detector = new Detector({ formats: ['qr_code'] })
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: { ideal: 'environment' } },
  })
  try {
    signal.throwIfAborted()
    video.srcObject = stream
    await video.play().catch(() => undefined)
    for (;;) {
      signal.throwIfAborted()
      // A frame that cannot be read is not there yet.
      const codes = await detector.detect(video).catch(() => [])
      signal.throwIfAborted()
      const found = codes.map(({ rawValue }) => rawValue).find(willDo)
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  } finally {
    // Another look may have begun.
    if (video.srcObject === stream) video.srcObject = null
    for (const track of stream.getTracks()) track.stop()
  }
}
