import { fromHex } from '../../src/evidence/bytes.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import type { FramePage, PageWanted } from './reading-server.ts'

// The demo's reader opens one recording; tells when its first frame was there, when all of its list was checked, and how
// long the page was ever held up until then.

async function main(): Promise<FramePage> {
  const { name, groupKey, registry } = JSON.parse(
    new URL(location.href).searchParams.get('wanted')!,
  ) as PageWanted
  const { origin } = location
  Reflect.set(globalThis, '__HOLDFAST_ENDPOINTS__', {
    gateway: origin,
    rpcUrl: `${origin}/rpc`,
    registry,
    chainId: 1,
  })
  const { openedSession } = await import('../../src/demo/reader-session.ts')
  const tasks: number[] = []
  const observer = new PerformanceObserver((list) =>
    tasks.push(...list.getEntries().map(({ duration }) => duration)),
  )
  observer.observe({ type: 'longtask' })
  const began = performance.now()
  const sinceMs = () => Math.round(performance.now() - began)
  const keys = { publicKey: '', privateKey: fromHex(groupKey) }
  let opened: ReturnType<typeof openedSession> | undefined
  const whole = new Promise<number>((resolve) => {
    opened = openedSession(name as SessionName, keys, () => resolve(sinceMs()))
  })
  document.body.append(opened!.element)
  const video = opened!.element.querySelector('video')!
  const shown = new Promise<number>((resolve, reject) => {
    video.addEventListener('loadeddata', () => resolve(sinceMs()))
    video.addEventListener('error', () => reject(new Error(video.error?.message)))
  })
  void opened!.refresh(1)
  const [frameMs, wholeMs] = await Promise.all([shown, whole])
  // Tasks are told of in one that comes later.
  await new Promise((resolve) => setTimeout(resolve, 100))
  const piecesByThen = Number(opened!.element.dataset['pieces'])
  opened!.close()
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
