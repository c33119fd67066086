import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { channels, tellAll } from '../e2e/in-page/fake-channels.ts'
import { stubPlatform } from '../e2e/in-page/heard-platform.ts'
import { takesWhole } from '../e2e/test-size.ts'
import type { Holdfast } from './api.ts'
import { connect } from './client.ts'
import { newGroup } from './group.ts'
import type { SessionId } from './protocol/ids.ts'
import type { Envelope, HandedChunk } from './protocol/messages.ts'
import type { SessionSnapshot } from './protocol/snapshot.ts'
import { upload } from './upload/upload.ts'

/** What the page hears of the platform: nothing while it is frozen, and then all of it. */
const life = vi.hoisted(() => {
  let begun = 0
  let freezesAt = Infinity
  let out = 0
  let thawed = Promise.resolve()
  let onFreeze = () => {}
  return {
    async hears<T>(answer: Promise<T>): Promise<T> {
      out++
      if (++begun === freezesAt) onFreeze()
      try {
        return await answer.finally(() => thawed)
      } finally {
        out--
      }
    },
    /** How many promises of the platform's are out. */
    out: () => out,
    /** @param work has every timer of the page go off, as once it runs again */
    freezeAt(at: number, work: () => void) {
      begun = 0
      freezesAt = at
      onFreeze = () => {
        let thaw = () => {}
        thawed = new Promise((resolve) => (thaw = resolve))
        // Whatever was to come within the time has come, and is heard after the timers.
        setImmediate(() => {
          work()
          setImmediate(thaw)
        })
      }
    },
    isFrozenOnce: () => begun >= freezesAt,
  }
})

interface Kept {
  snapshot: SessionSnapshot
  readonly chunks: Map<number, HandedChunk>
}

/** What the worker has. */
const kept = vi.hoisted(() => new Map<string, Kept>())

vi.mock('workbox-window/messageSW.js', () => {
  const change = (id: SessionId, fields: object) => {
    const session = kept.get(id)!
    session.snapshot = { ...session.snapshot, ...fields }
    return session.snapshot
  }
  const answer = async (asked: Envelope): Promise<unknown> => {
    switch (asked.type) {
      case 'session-start': {
        const { sessionId: id, fingerprint } = asked.session
        const progress = { totalBytes: 0, storedBytes: 0 }
        const snapshot = {
          id,
          fingerprint,
          progress,
          ending: 'recording',
          upload: 'uploading',
          startedAtMs: 0,
        }
        const begun = { snapshot: snapshot as SessionSnapshot, chunks: new Map() }
        if (!kept.has(id)) kept.set(id, begun)
        return kept.get(id)!.snapshot
      }
      case 'chunk': {
        const { sessionId, index } = asked.chunk
        kept.get(sessionId)!.chunks.set(index, asked.chunk)
        return { acknowledged: `${sessionId}/${index}` }
      }
      case 'session-end': {
        const missing = (asked.indexes ?? 0) - kept.get(asked.sessionId)!.chunks.size
        return change(asked.sessionId, { ending: missing ? 'interrupted' : 'complete', missing })
      }
      case 'sessions':
        return [...kept.values()].map(({ snapshot }) => snapshot)
      case 'chunks':
        return [...kept.get(asked.sessionId)!.chunks.values()]
      default:
        return { workRemains: false }
    }
  }
  return {
    messageSW: (_worker: object, asked: Envelope) =>
      life.hears(answer(asked).then((value) => ({ ok: true, value }))),
  }
})

/** The page's timers: by a clock that runs on only where nothing else is to come. */
function pageTimers() {
  let nowMs = 0
  let last = 0
  const timers = new Map<number, { readonly atMs: number; readonly work: () => void }>()
  vi.stubGlobal('setTimeout', (work: () => void, ms = 0) => {
    timers.set(++last, { atMs: nowMs + ms, work })
    return last
  })
  vi.stubGlobal('clearTimeout', (timer: number) => void timers.delete(timer))
  /** Those that are due by then, as they were set. */
  const runTo = (untilMs: number) => {
    nowMs = untilMs
    const due = [...timers].filter(([, { atMs }]) => atMs <= nowMs).sort(([, a], [, b]) => a.atMs - b.atMs)
    for (const [timer, { work }] of due) if (timers.delete(timer)) work()
  }
  return {
    /** An hour passes at once. */
    jump: () => runTo(nowMs + 3_600_000),
    next: () => timers.size > 0 && runTo(Math.min(...[...timers.values()].map(({ atMs }) => atMs))),
  }
}

let timers: ReturnType<typeof pageTimers>
beforeEach(() => {
  kept.clear()
  timers = pageTimers()
  const registration = Object.assign(new EventTarget(), { active: {}, scope: 'https://app.example/' })
  const register = () => life.hears(Promise.resolve(registration))
  const request = async (_name: string, { signal }: LockOptions, work: (lock: object) => Promise<void>) => {
    await life.hears(Promise.resolve())
    signal?.throwIfAborted()
    return work({})
  }
  const navigator = {
    serviceWorker: Object.assign(new EventTarget(), { register }),
    locks: { request },
  }
  stubPlatform(navigator, life.hears)
})
afterEach(() => {
  life.freezeAt(Infinity, () => undefined)
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  channels.clear()
})

/** Lets the page's time run on until it is done. */
async function runUntilDone<T>(work: Promise<T>): Promise<T> {
  const turn = () => new Promise<undefined>((resolve) => setImmediate(resolve, undefined))
  const done = work.then(
    () => true,
    () => true,
  )
  while (!(await Promise.race([done, turn()]))) if (life.out() === 0) timers.next()
  return work
}

const group = await newGroup()
const text = 'The quick brown fox jumps over the lazy dog.'
const options = { groups: [group], mimeType: 'text/plain' }

/** Each makes something of three chunks. */
const WORKS: Readonly<Record<string, (holdfast: Holdfast) => Promise<unknown>>> = {
  async 'a recording'(holdfast) {
    const session = await holdfast.startSession(options)
    for (const part of ['a', 'b', 'c']) void session.append(new Blob([part]))
    await session.end()
  },
  async 'a file'(holdfast) {
    const { handedOver, done } = upload(holdfast, new Blob([text]), { groups: [group], partBytes: 15 })
    await handedOver
    const [{ snapshot }] = [...kept.values()] as [Kept]
    const session = { ...snapshot, upload: 'confirmed' } as const
    kept.get(session.id)!.snapshot = session
    tellAll({ type: 'changed', session })
    await done
  },
}

// Promise 1 of docs/guarantees.md.
describe('a page that is frozen at any moment, and hears of nothing until all its timers have gone off,', () => {
  it.each(Object.entries(WORKS))('loses nothing of %s, and begins it once', async (_what, make) => {
    // In a quick run at some of them.
    for (let at = 1; ; at += takesWhole() ? 1 : 4) {
      const holdfast = await runUntilDone(connect({ scriptUrl: '/sw.js' }))
      life.freezeAt(at, timers.jump)
      await runUntilDone(make(holdfast))
      const made = [...kept.values()].map(({ snapshot, chunks }) => [
        snapshot.ending,
        [...chunks.keys()].sort(),
      ])
      expect(made, `frozen at ${at}`).toEqual([['complete', [0, 1, 2]]])
      holdfast.close()
      kept.clear()
      if (!life.isFrozenOnce()) return expect(at).toBeGreaterThan(10)
    }
  })
})
