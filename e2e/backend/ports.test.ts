import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort, listen } from './ports.ts'

const ANY = { port: 0, wantedBy: 'a test', option: '' }

/** Two processes that pick the same. */
const from = (first: number) => () => first++

test('a port that was given is given to nobody else, though nobody listens to it', async () => {
  const first = await freePort(ANY)
  expect(await freePort(ANY, 0, from(first))).toBeGreaterThan(first)
})

test('a port that somebody listens to is given to nobody, and can be given once it is free', async () => {
  const first = await freePort(ANY)
  const other = await freePort(ANY)
  const server = createServer()
  await listen(server, { ...ANY, port: other })
  const picks = [other, other, first]
  await expect(freePort({ ...ANY, port: other }, 0)).rejects.toMatchObject({ code: 'port-taken' })
  const later = from(other + 1)
  expect(await freePort(ANY, 0, () => picks.shift() ?? later())).toBeGreaterThan(other)
  await new Promise((resolve) => server.close(resolve))
  expect(await freePort({ ...ANY, port: other })).toBe(other)
})
