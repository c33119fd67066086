import { connect } from '../../src/index.ts'
import { upload, type FileProgress } from '../../src/upload/upload.ts'
import { contentOf } from './file-content.ts'

/** The file that a page of the site uploads, and how many parts of it the worker is handed before the page stands still. */
export interface LeavingFile {
  readonly sizeBytes: number
  readonly seed: number
  readonly partBytes: number
  readonly handedParts: number
  readonly group: string
}

/** What the pages of the site tell, each once, in this order. */
export interface LeavingTold {
  /** So many parts are durable in the worker, and no other is on its way. */
  midway: { readonly sessionId: string }
  /** Another page is there in place of the one that uploads. */
  away: object
  /** The page is there again, the same or another one of its address; and why it is another, where the browser says so. */
  back: { readonly kept: boolean; readonly reasons: unknown }
  /** How the upload that the page is at went: of a page that is another it is a second call. */
  over: {
    readonly sessionId?: string | undefined
    readonly parts?: number
    readonly progress?: FileProgress | undefined
    readonly error?: string
    /** What the page heard of being frozen. */
    readonly heard: readonly string[]
  }
}

/** What a page that is midway does next; `leave unheard`: the worker tells it nothing until it is back. */
export type AfterMidway = 'leave' | 'leave unheard' | 'go on'

const file = JSON.parse(decodeURIComponent(location.search.slice(1))) as LeavingFile

/** Chunks on their way to the worker, while they are held; from `hold` on. */
let held: (() => void)[] | undefined
let progress: FileProgress | undefined
const heard: string[] = []
for (const type of ['freeze', 'resume']) document.addEventListener(type, () => heard.push(type))

/** Resolves to the test's answer: nobody else has a hand in the page, as a debugger may keep it from being put aside. */
async function tell<What extends keyof LeavingTold>(what: What, told: LeavingTold[What]): Promise<string> {
  const answer = await fetch(`/tell/${what}`, { method: 'POST', body: JSON.stringify(told) })
  return answer.text()
}

function hold(): void {
  held = []
  let parts = 0
  const { postMessage } = ServiceWorker.prototype
  ServiceWorker.prototype.postMessage = function (message: { type?: string }, ...rest: [never]) {
    const send = () => postMessage.call(this, message, ...rest)
    if (held && message.type === 'chunk' && ++parts > file.handedParts) held.push(send)
    else send()
  }
}

function letGo(): void {
  const sends = held ?? []
  held = undefined
  for (const send of sends) send()
}

async function begin(onMidway: (sessionId: string) => void): Promise<void> {
  try {
    const holdfast = await connect({ scriptUrl: '/sw.js', type: 'classic' })
    const picked = new File([contentOf(file.sizeBytes, file.seed)], 'holiday.mp4', { lastModified: 1 })
    const uploading = upload(holdfast, picked, {
      groups: [{ publicKey: file.group }],
      partBytes: file.partBytes,
      onProgress(now) {
        const isMidway = now.handedBytes === file.handedParts * file.partBytes
        if (held && isMidway && progress?.handedBytes !== now.handedBytes) onMidway(uploading.sessionId!)
        progress = now
      },
    })
    const { id, parts } = await uploading.done
    await tell('over', { sessionId: id, parts: parts.length, progress, heard })
  } catch (error) {
    await tell('over', { error: String(error), heard })
  }
}

async function midway(sessionId: string): Promise<void> {
  const next = (await tell('midway', { sessionId })) as AfterMidway
  if (next === 'go on') return letGo()
  if (next === 'leave unheard') await fetch('/mute')
  location.assign('/away')
}

window.addEventListener('pageshow', async ({ persisted: kept }) => {
  const [visit] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  if (!kept && visit?.type !== 'back_forward') {
    hold()
    return begin((sessionId) => void midway(sessionId))
  }
  const reasons: unknown = visit && Reflect.get(visit, 'notRestoredReasons')
  await tell('back', { kept, reasons })
  await fetch('/unmute')
  if (kept) letGo()
  // A person who finds another page picks the file again.
  else await begin(() => undefined)
})
