import { SNAPSHOT_CHANNEL, type Broadcast } from '../src/protocol/messages.ts'
import { nameFor } from '../src/protocol/names.ts'
import { isOurs } from '../src/protocol/parse.ts'
import type { SessionSnapshot } from '../src/protocol/snapshot.ts'
import { backgroundSync } from './adapters/browser/background-sync.ts'
import { storyOf, traced, type Say } from './debug-words.ts'
import type { InstallOptions } from './install.ts'

declare const self: ServiceWorkerGlobalScope

/**
 * Has the worker say what it does and why it waits, a line an event: `install(debug({ transport, anchor }))`, at the top
 * level of the worker. It says how it was woken, what was asked of store and chain and what came of it, when it asks for
 * a wake, and how each session stands whenever that changes. No line has bytes, keys, URLs or headers in it.
 *
 * @param say default: the console, at its level `debug`
 */
export function debug<Options extends InstallOptions>(options: Options, say: Say = toConsole): Options {
  for (const type of ['sync', 'push', 'periodicsync'])
    self.addEventListener(type, (event) => {
      const { tag = '', lastChance = false } = event as Partial<SyncEvent>
      say(`woken by ${[type, tag, ...(lastChance ? ['for the last time'] : [])].filter(Boolean).join(' ')}`)
    })
  self.addEventListener('message', ({ data }) => {
    if (!isOurs(data)) return
    const { type } = data
    // Another script may post anything.
    say(`asked by a page: ${typeof type === 'string' ? type : '?'}`)
  })
  sayChanges(say)

  const { transport, anchor, wake = (clock) => backgroundSync(clock) } = options
  return {
    ...options,
    transport: traced(transport, say),
    // An app without a chain has none.
    ...(anchor && { anchor: traced(anchor, say) }),
    wake: (...args) => traced(Object.assign(wake(...args), { name: 'wake' }), say),
  }
}

/** The worker hears what it tells its pages, as they do. */
function sayChanges(say: Say): void {
  const said = new Map<string, string>()
  const channel = new BroadcastChannel(nameFor(SNAPSHOT_CHANNEL, self.registration.scope))
  channel.addEventListener('message', ({ data }: MessageEvent<Broadcast>) => {
    const [id, story] = data.type === 'changed' ? told(data.session) : [data.sessionId, 'discarded']
    if (said.get(id) === story) return
    said.set(id, story)
    say(`session ${id.slice(0, 8)}: ${story}`)
  })
}

const told = (session: SessionSnapshot) => [session.id, storyOf(session)] as const

// oxlint-disable-next-line no-console -- what it is for
const toConsole: Say = (line) => console.debug(`holdfast: ${line}`)
