import { fromHex } from '../../src/evidence/bytes.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import type { FramePage, PageWanted } from './reading-server.ts'

// The demo's reader opens one recording; tells when its first frame was there.

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
  const began = performance.now()
  let openMs = 0
  const keys = { publicKey: '', privateKey: fromHex(groupKey) }
  const opened = openedSession(name as SessionName, keys, () => (openMs = performance.now() - began))
  document.body.append(opened.element)
  const video = opened.element.querySelector('video')!
  const shown = new Promise<number>((resolve, reject) => {
    video.addEventListener('loadeddata', () => resolve(performance.now() - began))
    video.addEventListener('error', () => reject(new Error(video.error?.message)))
  })
  void opened.refresh(1)
  const frameMs = await shown
  opened.close()
  return { openMs: Math.round(openMs), frameMs: Math.round(frameMs) }
}

void main()
  .catch((error: unknown) => ({ error: String(error) }))
  .then((measured) => fetch('/measured', { method: 'POST', body: JSON.stringify(measured) }))
