import { expect, it } from 'vitest'
import { reply } from '../../sw/engine/requests.ts'
import { fakeDisk } from '../../sw/testing/fake-disk.ts'
import { createWorld, recordSession, sessionIdOf } from '../../sw/testing/world.ts'
import { seeded } from '../soak/seeded-random.ts'
import { GRANTED, hostileMessages, type Fields } from './hostile-messages.ts'

// Promise 9 of docs/guarantees.md.
it('hostile messages of every type change no record, and are answered by a code that tells whose fault it is', async () => {
  const world = createWorld()
  const disk = fakeDisk()
  const { read, write, payload } = disk
  const worker = { ...world.worker(), store: { read, write, payload, close: () => undefined } }
  for (const number of [1, 2]) await recordSession(world, { number, chunks: 4, ending: 'recording', worker })
  const before = structuredClone(disk.state)
  const message = await hostileMessages({
    random: seeded(20_260_722),
    victims: [sessionIdOf(1), sessionIdOf(2)],
  })
  const granted = new Set<unknown>()
  const refusals = new Set<string>()
  for (let sent = 0; sent < 3_000; sent++) {
    // As it is posted.
    const data: unknown = structuredClone(message())
    const answer = await reply(worker, data)
    expect(structuredClone(answer)).toEqual(answer)
    if (answer.ok) granted.add((data as Fields)['type'])
    else refusals.add(answer.error.code)
  }
  expect(disk.state).toEqual(before)
  expect([...granted].toSorted()).toEqual(GRANTED)
  expect([...refusals].toSorted()).toEqual([
    'bad-message',
    'index-taken',
    'not-confirmed',
    'payload-unreadable',
    'protocol-mismatch',
    'session-exists',
    'unknown-session',
  ])
})
