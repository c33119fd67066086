import { afterEach, expect, it, vi } from 'vitest'
import { scanCode } from './scan-code.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A camera, and a browser that reads from it what is put there. */
function stubCamera() {
  const cameras: { readonly stop: ReturnType<typeof vi.fn> }[] = []
  const looks: ((texts: readonly string[]) => void)[] = []
  vi.stubGlobal('navigator', {
    mediaDevices: {
      getUserMedia: async () => {
        const camera = { stop: vi.fn() }
        cameras.push(camera)
        return { getTracks: () => [camera] }
      },
    },
  })
  vi.stubGlobal(
    'BarcodeDetector',
    class {
      detect = () =>
        new Promise((resolve) => looks.push((texts) => resolve(texts.map((rawValue) => ({ rawValue })))))
    },
  )
  const video = { srcObject: null, play: async () => undefined } as unknown as HTMLVideoElement
  return { cameras, looks, video }
}

it('a look that was given up finds nothing more, and takes the picture from no other', async () => {
  const { cameras, looks, video } = stubCamera()
  const leaving = new AbortController()
  const given = scanCode(video, () => true, leaving.signal).catch((error: unknown) => error)
  await expect.poll(() => looks).toHaveLength(1)
  leaving.abort('enough')
  const next = scanCode(video, () => true, new AbortController().signal)
  await expect.poll(() => looks).toHaveLength(2)
  const shown = video.srcObject
  looks[0]?.(['late'])
  expect(await given).toBe('enough')
  expect(video.srcObject).toBe(shown)
  expect(cameras.map(({ stop }) => stop.mock.calls.length)).toEqual([1, 0])
  looks[1]?.(['key'])
  expect(await next).toBe('key')
  expect(video.srcObject).toBeNull()
  expect(cameras.map(({ stop }) => stop.mock.calls.length)).toEqual([1, 1])
})

it('a look that was given up between two frames looks at no other', async () => {
  vi.useFakeTimers()
  const { cameras, looks, video } = stubCamera()
  const leaving = new AbortController()
  const given = scanCode(video, () => true, leaving.signal).catch((error: unknown) => error)
  await expect.poll(() => looks).toHaveLength(1)
  looks[0]?.([])
  await expect.poll(() => vi.getTimerCount()).toBe(1)
  leaving.abort('enough')
  await vi.runAllTimersAsync()
  expect(await given).toBe('enough')
  expect(looks).toHaveLength(1)
  expect(cameras[0]?.stop).toHaveBeenCalledOnce()
})
