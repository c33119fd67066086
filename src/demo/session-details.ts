import type { Holdfast } from '../api.ts'
import { rawBlockCid } from '../evidence/cid.ts'
import type { SessionName } from '../protocol/ids.ts'
import type { AnchorView, ChunkView, SessionSnapshot } from '../protocol/snapshot.ts'
import { formatLink } from '../verify/index.ts'
import { button, h, keyedList, setAttributes, setText, type View } from './dom.ts'
import { endpoints, gatewayUrl } from './endpoints.ts'
import { explain } from './explain.ts'
import { formatBytes, formatMoment, shorten } from './format.ts'
import { copyText } from './hand-out.ts'
import { copyIcon, icon, setIcon } from './icon.ts'
import { chunkStatus } from './chunk-status.ts'
import { texts } from './texts.ts'

/** So many rows are drawn in one task, which ends well before a person feels it. */
const ROWS_PER_TASK = 60

/** The chunks and the anchor of one session: read only while they are open. */
export function sessionDetails({ id, name }: SessionSnapshot, holdfast: Holdfast): View<SessionSnapshot> {
  const problem = h('p', { class: 'error' })
  const chunkList = h('ol', { class: 'chunks' })
  const anchor = h('div', {})
  const before = h('p', { class: 'session-id' })
  const element = h(
    'details',
    { class: 'details', 'data-testid': 'session-details' },
    h('summary', {}, icon('chevron'), texts.actions.details),
    anchor,
    problem,
    h(
      'div',
      { class: 'chunk-scroll', tabindex: 0, role: 'group', 'aria-label': texts.details.pieces },
      chunkList,
    ),
    h('p', { class: 'session-id' }, `${texts.details.session} `, copyable(name, texts.details.sessionName)),
    h('p', { class: 'session-id' }, `${texts.details.link} `, copyable(linkTo(name), texts.details.linkName)),
    before,
  )
  const drawChunks = keyedList(chunkList, (chunk: ChunkView) => chunk.id, chunkView)
  const read = latestOnly(async () => {
    try {
      const chunks = await holdfast.chunks(id)
      // Of a long recording at first what is in view: no press may wait for the rest.
      for (
        let shown = chunkList.childElementCount;
        shown < chunks.length - ROWS_PER_TASK;
        shown += ROWS_PER_TASK
      ) {
        drawChunks(chunks.slice(0, shown + ROWS_PER_TASK), shown)
        await new Promise((resolve) => setTimeout(resolve))
      }
      drawChunks(chunks)
      setText(problem, '')
    } catch (thrown) {
      const { what, next } = explain(thrown, texts.notice.again)
      setText(problem, `${what} ${next}`)
    }
  })
  let shown: SessionSnapshot | undefined
  element.addEventListener('toggle', () => {
    if (element.open) read()
  })
  return {
    element,
    update(session) {
      if (session === shown) return
      if (session.anchor && session.anchor.page !== shown?.anchor?.page)
        anchor.replaceChildren(anchorFacts(session.anchor))
      if (session.continues && !shown)
        before.replaceChildren(
          `${texts.details.continues} `,
          copyable(session.continues, texts.details.sessionName),
        )
      shown = session
      if (element.open) read()
    },
  }
}

/** All that a reader needs but the key: `npx holdfast read` takes it. */
function linkTo(name: SessionName): string {
  const { rpcUrl, registry, gateway } = endpoints()
  return formatLink(location.href, { name, rpcUrls: [rpcUrl], registry, gateways: [gateway] })
}

/** Runs one reading at a time; asked again meanwhile, reads once more. */
function latestOnly(work: () => Promise<void>): () => void {
  let running = false
  let again = false
  const run = async () => {
    running = true
    do {
      again = false
      await work()
    } while (again)
    running = false
  }
  return () => {
    if (running) again = true
    else void run()
  }
}

function anchorFacts(anchor: AnchorView): HTMLElement {
  const fact = (term: string, value: Node | string) => h('div', {}, h('dt', {}, term), h('dd', {}, value))
  const cid = rawBlockCid(anchor.page)
  const page = h('span', {}, copyable(cid, texts.details.pageName), ' ')
  page.append(h('a', { href: gatewayUrl(cid), target: '_blank', rel: 'noreferrer' }, texts.details.open))
  const { transactionHash } = anchor
  return h(
    'dl',
    { class: 'facts', 'data-testid': 'anchor', 'data-block': anchor.blockNumber, 'data-size': anchor.size },
    anchor.blockAtMs === undefined
      ? fact(texts.details.witnessed, texts.details.byNobody)
      : fact(texts.details.existed, texts.details.block(formatMoment(anchor.blockAtMs), anchor.blockNumber)),
    fact(texts.details.covers, texts.details.entries(anchor.size)),
    fact(texts.details.root, copyable(anchor.root, texts.details.rootName)),
    fact(texts.details.page, page),
    transactionHash &&
      fact(texts.details.transaction, copyable(transactionHash, texts.details.transactionName)),
  )
}

const sizeWords = ({ sizeBytes, storedBytes }: ChunkView) =>
  storedBytes > 0 && storedBytes < sizeBytes
    ? texts.details.partOf(formatBytes(storedBytes), formatBytes(sizeBytes))
    : formatBytes(sizeBytes)

function chunkView(): View<ChunkView> {
  const symbol = icon('dot')
  const index = h('span', { class: 'chunk-index' })
  const words = h('span', { class: 'chunk-words' })
  const size = h('span', { class: 'chunk-size' })
  const cid = h('span', { class: 'chunk-cid' })
  const problem = h('p', { class: 'chunk-problem' })
  const element = h(
    'li',
    { class: 'chunk', 'data-testid': 'chunk' },
    index,
    h('span', { class: 'status' }, symbol, words),
    size,
    cid,
    problem,
  )
  return {
    element,
    update(chunk) {
      const { words: text, icon: name, tone } = chunkStatus(chunk)
      setIcon(symbol, name)
      setText(index, String(chunk.index))
      setText(words, text)
      setText(size, sizeWords(chunk))
      if (chunk.cid && !cid.hasChildNodes())
        cid.append(copyable(chunk.cid, texts.details.pieceName(chunk.index)))
      setText(problem, troubleOf(chunk))
      problem.hidden = problem.textContent === ''
      setAttributes(element, {
        'data-index': chunk.index,
        'data-status': chunk.status,
        'data-parked': String(chunk.parked),
        'data-stored-bytes': chunk.storedBytes,
        'data-retries': chunk.retryCount,
        'data-tone': tone,
      })
    },
  }
}

function troubleOf({ status, retryCount, lastError }: ChunkView): string {
  const tries = retryCount > 0 ? texts.details.retries(retryCount) : ''
  const error =
    lastError && status !== 'confirmed'
      ? `${(texts.errors[lastError.code] ?? texts.errors.defect).join(' ')}`
      : ''
  return [tries, error].filter(Boolean).join('. ')
}

/** A long id, shortened, that copies itself. */
function copyable(value: string, what: string): HTMLButtonElement {
  const element = button('', () => void copyText(value, element), {
    class: 'copyable',
    title: value,
    'aria-label': texts.details.copy(what, shorten(value)),
  })
  element.append(h('code', {}, shorten(value)), copyIcon())
  return element
}
