import { groupOf, type GroupKeys } from '../group.ts'
import type { SessionName } from '../protocol/ids.ts'
import { listSessions, VerificationError, type ListedSession } from '../verify/index.ts'
import { announce } from './announce.ts'
import { button, byId, h, keyedList, setAttributes, setText, type View } from './dom.ts'
import { endpoints } from './endpoints.ts'
import { explain } from './explain.ts'
import { formatMoment } from './format.ts'
import { parseKey } from './group-key.ts'
import { keyOfLink } from './reader-link.ts'
import { offerScan } from './reader-scan.ts'
import { openedSession } from './reader-session.ts'
import { texts } from './texts.ts'

/** What is new shows up this often. */
const LOOK_EVERY_MS = 3_000

/** Each is one question to the node, with each look. */
const AT_A_TIME = 50

const words = texts.reader

/** The page of whoever waits for a recording: a group's key opens all of its recordings, with nothing else of ours. */
function start(): void {
  const form = byId('key-form', HTMLFormElement)
  const input = byId('reader-key', HTMLTextAreaElement)
  const file = byId('reader-file', HTMLInputElement)
  const use = async (text: string) => {
    const keys = await keysOf(text)
    setText(byId('reader-error', HTMLElement), typeof keys === 'string' ? keys : '')
    if (typeof keys === 'string') {
      // Of a link that was cut off, too.
      form.hidden = false
      return input.focus()
    }
    stopScan()
    const hadFocus = form.contains(document.activeElement)
    form.hidden = true
    input.value = ''
    showRecordings(keys)
    // Which says what is found.
    if (hadFocus) byId('reader-status', HTMLElement).focus()
  }
  const stopScan = offerScan(
    (text) => typeof parseKey(keyOfLink(text)) === 'object',
    (text) => void use(text),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void use(input.value)
  })
  file.addEventListener('change', async () => {
    const text = await file.files?.[0]?.text()
    if (text !== undefined) await use(text)
  })
  const fromLink = new URLSearchParams(location.hash.slice(1)).get('key')
  if (fromLink === null) form.hidden = false
  else void use(fromLink)
  byId('reader-other', HTMLElement).addEventListener('click', () => location.replace(location.pathname))
  // Another link that is opened in this tab.
  addEventListener('hashchange', () => location.reload())
}

async function keysOf(text: string): Promise<GroupKeys | string> {
  const parsed = parseKey(keyOfLink(text))
  if (typeof parsed === 'string') return parsed
  return parsed.kind === 'group' ? groupOf(parsed.privateKey) : words.opensNothing
}

function showRecordings(keys: GroupKeys): void {
  const { rpcUrl, registry } = endpoints()
  const status = byId('reader-status', HTMLElement)
  const opened = new Map<SessionName, ReturnType<typeof openedSession>>()
  let told = ''
  let wanted = AT_A_TIME
  const older = byId('reader-older', HTMLButtonElement)
  older.addEventListener('click', () => {
    wanted += AT_A_TIME
    older.hidden = true
    setText(status, words.looking)
    // Where what follows is told.
    status.focus()
  })
  const drawList = keyedList(
    byId('reader-list', HTMLElement),
    ({ name }: ListedSession) => name,
    ({ name }) => listedView(name, keys, opened),
  )
  byId('reader', HTMLElement).hidden = false
  setText(status, words.looking)

  const look = async () => {
    try {
      const limit = wanted
      const { sessions, next } = await listSessions({
        chain: { rpcUrl, registry },
        group: { privateKey: keys.privateKey },
        limit,
      })
      drawList(sessions)
      if (limit === wanted) {
        const found = next ? words.newest(sessions.length) : words.found(sessions.length)
        older.hidden = !next
        setText(status, found)
        if (found !== told) announce(found)
        told = found
      }
      for (const { name, size } of sessions) void opened.get(name)?.refresh(size)
    } catch (thrown) {
      setText(status, whyNot(thrown))
    }
    setTimeout(() => void look(), LOOK_EVERY_MS)
  }
  void look()
}

/** What was found is told in the words of the table, and not in the message, which is for whoever builds. */
function whyNot(thrown: unknown): string {
  if (thrown instanceof VerificationError) return texts.check.codes[thrown.code].join(' ')
  const { what, next } = explain(thrown)
  return `${what} ${next}`
}

/** What is known of a recording in the list: the registry's word, until its log is checked. */
function stateOf({ ended, lastAnchoredAtMs }: ListedSession, checked?: keyof typeof words.endings): string {
  const when = formatMoment(lastAnchoredAtMs)
  if (checked === undefined) return ended ? words.saysEnded : words.saysGoingOn(when)
  if (checked === 'complete') return words.checkedEnded
  return checked === 'open' ? words.checkedGoingOn(when) : words.endings[checked]
}

function listedView(
  name: SessionName,
  keys: GroupKeys,
  opened: Map<SessionName, ReturnType<typeof openedSession>>,
): View<ListedSession> {
  const titleId = `title-${name}`
  let listed: ListedSession | undefined
  /** What its own log says, once that is checked. */
  let ending: keyof typeof words.endings | undefined
  const drawState = () => {
    if (listed) setText(state, stateOf(listed, ending))
  }
  const when = h('h3', { id: titleId })
  const state = h('p', { class: 'session-when' })
  const play = button(
    words.open,
    () => {
      const open = openedSession(name, keys, (now) => {
        ending = now
        drawState()
      })
      opened.set(name, open)
      setAttributes(open.element, { role: 'group', 'aria-labelledby': titleId })
      element.append(open.element)
      play.hidden = true
      close.hidden = false
      close.focus({ preventScroll: true })
      // What is said of it and its picture, which may lie below the screen.
      element.scrollIntoView({ block: 'nearest' })
      announce(words.opening)
      if (listed) void open.refresh(listed.size)
    },
    { class: 'soft', 'data-testid': 'open-button' },
  )
  const close = button(
    words.close,
    () => {
      opened.get(name)?.close()
      opened.delete(name)
      play.hidden = false
      close.hidden = true
      play.focus()
    },
    { hidden: true },
  )
  const element = h(
    'li',
    { class: 'session', 'data-testid': 'listed', 'data-name': name, 'aria-labelledby': titleId },
    h('div', {}, when, state),
    h('div', { class: 'row' }, play, close),
  )
  return {
    element,
    update(now) {
      const { firstAnchoredAtMs, ended, size } = now
      listed = now
      setText(when, formatMoment(firstAnchoredAtMs))
      drawState()
      play.setAttribute('aria-label', words.openOf(formatMoment(firstAnchoredAtMs)))
      close.setAttribute('aria-label', words.closeOf(formatMoment(firstAnchoredAtMs)))
      element.dataset['size'] = String(size)
      element.dataset['ended'] = String(ended)
    },
  }
}

start()
