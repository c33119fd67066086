import type { Connection } from './connection.ts'
import { SNAPSHOT_CHANNEL, type Broadcast } from './protocol/messages.ts'
import { nameFor } from './protocol/names.ts'

/** Calls back with what the worker tells all its pages, until the signal aborts. */
export function onBroadcast(
  { scope }: Connection,
  listener: (told: Broadcast) => void,
  signal: AbortSignal,
): void {
  if (signal.aborted) return
  const channel = new BroadcastChannel(nameFor(SNAPSHOT_CHANNEL, scope))
  channel.addEventListener('message', ({ data }) => listener(Object(data) as Broadcast))
  signal.addEventListener('abort', () => channel.close())
}
