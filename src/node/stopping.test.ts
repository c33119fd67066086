import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { stoppedBy } from './stopping.ts'

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s stops the command, and once more ends it at once', (name) => {
  const process = new EventEmitter()
  const signal = stoppedBy(process)
  expect(signal.aborted).toBe(false)
  expect(process.emit(name)).toBe(true)
  expect(signal.reason).toMatchObject({ message: 'Stopped' })
  // Nobody listens any more: the system's own way is taken.
  for (const again of ['SIGINT', 'SIGTERM', 'SIGHUP']) expect(process.emit(again)).toBe(false)
})
