import { texts } from './texts.ts'

const WIDTH = 640
const HEIGHT = 480
const FRAMES_PER_SECOND = 15
const TONE_HZ = 440
const TONE_GAIN = 0.04

/** A drawn clock with a moving shape and a quiet tone, which says in each frame that it is no evidence. */
export function openTestPicture(): { stream: MediaStream; close(): void } {
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT })
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error(texts.testPicture.cannot)
  const draw = () => drawFrame(pen, Date.now())
  draw()
  const timer = setInterval(draw, 1000 / FRAMES_PER_SECOND)
  const tone = openTone()
  const stream = new MediaStream([...canvas.captureStream(FRAMES_PER_SECOND).getTracks(), ...tone.tracks])
  return {
    stream,
    close() {
      clearInterval(timer)
      stream.getTracks().forEach((track) => track.stop())
      tone.close()
    },
  }
}

function drawFrame(pen: CanvasRenderingContext2D, nowMs: number): void {
  const turn = (nowMs / 6000) * 2 * Math.PI
  pen.fillStyle = '#10201b'
  pen.fillRect(0, 0, WIDTH, HEIGHT)
  pen.fillStyle = '#5cc9a0'
  pen.beginPath()
  pen.arc(WIDTH / 2 + Math.cos(turn) * 220, HEIGHT / 2 + Math.sin(turn * 2) * 90, 22, 0, 2 * Math.PI)
  pen.fill()
  pen.fillStyle = '#ffffff'
  pen.textAlign = 'center'
  pen.font = '600 72px ui-monospace, monospace'
  pen.fillText(new Date(nowMs).toLocaleTimeString('en-GB'), WIDTH / 2, HEIGHT / 2 + 24)
  pen.fillStyle = '#eebf66'
  pen.fillRect(0, HEIGHT - 72, WIDTH, 72)
  pen.fillStyle = '#241a04'
  pen.font = '700 32px system-ui, sans-serif'
  pen.fillText(texts.testPicture.stamp, WIDTH / 2, HEIGHT - 25)
}

function openTone(): { tracks: MediaStreamTrack[]; close(): void } {
  const context = new AudioContext()
  const tone = new OscillatorNode(context, { frequency: TONE_HZ })
  const volume = new GainNode(context, { gain: TONE_GAIN })
  const out = new MediaStreamAudioDestinationNode(context)
  tone.connect(volume).connect(out)
  tone.start()
  return { tracks: out.stream.getTracks(), close: () => void context.close() }
}
