/** What is open of the `BroadcastChannel` that `vi.stubGlobal('BroadcastChannel', FakeChannel)` puts in the platform's place. */
export const channels = new Set<EventTarget>()

export class FakeChannel extends EventTarget {
  constructor() {
    super()
    channels.add(this)
  }
  close() {
    channels.delete(this)
  }
}

/** Tells all of them this, as a worker does. */
export const tellAll = (data?: unknown) =>
  channels.forEach((channel) => channel.dispatchEvent(Object.assign(new Event('message'), { data })))
