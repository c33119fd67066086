import { fromHex } from '../../src/evidence/bytes.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import { openInSteps, type OpeningStep, type VerifiedSession } from '../../src/verify/index.ts'
import type { FramePage, PageWanted } from './reading-server.ts'

// The demo's reader opens one recording; tells when its first frame was there, when all of its list was checked, and how
// long the page was ever held up until then. The demo has a chain: without one its parts are put together here.

/** What of an opened recording is measured. */
interface Opened {
  readonly element: HTMLElement
  readonly pieces: () => number
  readonly close: () => void
}

const PARTS = {
  session: () => import('../../src/demo/reader-session.ts'),
  player: () => import('../../src/demo/live-player.ts'),
  reading: () => import('../../src/demo/read-live.ts'),
}

async function openWitnessed({ name, groupKey }: PageWanted, onWhole: () => void): Promise<Opened> {
  const { openedSession } = await PARTS.session()
  const keys = { publicKey: '', privateKey: fromHex(groupKey) }
  const { element, close, refresh } = openedSession(name as SessionName, keys, onWhole)
  void refresh(1)
  return { element, pieces: () => Number(element.dataset['pieces']), close }
}

async function openByHead({ name, groupKey }: PageWanted, onWhole: () => void): Promise<Opened> {
  const { livePlayer } = await PARTS.player()
  const { liveReading } = await PARTS.reading()
  const element = document.createElement('div')
  const video = element.appendChild(document.createElement('video'))
  const leaving = new AbortController()
  const { signal } = leaving
  const gateway = location.origin
  const steps = openInSteps({ head: 'newest', name, gateway, groupKey: fromHex(groupKey), signal })
  const live = liveReading<VerifiedSession>()
  let player: ReturnType<typeof livePlayer>
  const onStep = ({ session, isLast }: OpeningStep) => {
    player ??= livePlayer(video, session.mimeType)
    if (isLast) onWhole()
  }
  const read = async () => {
    for await (const chunk of live.read(steps, onStep))
      if (chunk.verdict === 'proved') player?.add(new Blob([chunk.plaintext]))
  }
  read().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return { element, pieces: () => live.pieces().length, close: () => leaving.abort() }
}

async function main(): Promise<FramePage> {
  const wanted = JSON.parse(new URL(location.href).searchParams.get('wanted')!) as PageWanted
  const { origin } = location
  Reflect.set(globalThis, '__HOLDFAST_ENDPOINTS__', {
    gateway: origin,
    rpcUrl: `${origin}/rpc`,
    registry: wanted.registry,
    chainId: 1,
  })
  // The page is there when the person presses.
  await Promise.all(Object.values(PARTS).map((load) => load()))
  const tasks: number[] = []
  const observer = new PerformanceObserver((list) =>
    tasks.push(...list.getEntries().map(({ duration }) => duration)),
  )
  observer.observe({ type: 'longtask' })
  const began = performance.now()
  const sinceMs = () => Math.round(performance.now() - began)
  let onWhole = () => {}
  const whole = new Promise<number>((resolve) => {
    onWhole = () => resolve(sinceMs())
  })
  const { element, pieces, close } = await (wanted.byHead ? openByHead : openWitnessed)(wanted, onWhole)
  document.body.append(element)
  const video = element.querySelector('video')!
  const shown = new Promise<number>((resolve, reject) => {
    video.addEventListener('loadeddata', () => resolve(sinceMs()))
    video.addEventListener('error', () => reject(new Error(video.error?.message)))
  })
  const [frameMs, wholeMs] = await Promise.all([shown, whole])
  // Tasks are told of in one that comes later.
  await new Promise((resolve) => setTimeout(resolve, 100))
  const piecesByThen = pieces()
  close()
  return {
    frameMs,
    wholeMs,
    piecesByThen,
    longTasks: tasks.length,
    longestTaskMs: Math.round(Math.max(0, ...tasks)),
  }
}

void main()
  .catch((error: unknown) => ({ error: String(error) }))
  .then((measured) => fetch('/measured', { method: 'POST', body: JSON.stringify(measured) }))
