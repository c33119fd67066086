import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { beforeAll, expect, it } from 'vitest'
import { repositoryRoot } from '../e2e/backend/repository-root.ts'
import { bundle } from '../e2e/bundle.ts'
import { ipfs } from './adapters/transports/ipfs.ts'

// As an app ships it, one script: when its modules are loaded one by one, as here, the first run of a script is over
// before any of them is asked for anything.

let script: string
beforeAll(async () => {
  script = await bundle(join(repositoryRoot(), 'sw', 'install.ts'))
})

/** Runs a worker's script, which ends with these lines; `entry` is what they have of `holdfast/sw`. */
function run(lines: string) {
  const heard: string[] = []
  const self = {
    registration: { scope: 'https://install.example/' },
    serviceWorker: { state: 'installing' },
    addEventListener: (type: string) => heard.push(type),
  }
  const transport = ipfs({ endpoint: 'https://ipfs.example' })
  const names = ['self', 'navigator', 'BroadcastChannel', 'options']
  const came: unknown = compileFunction(`${script}\n${lines}`, names)(self, {}, EventTarget, { transport })
  return { heard, came }
}

const refused = { code: 'bad-input', message: 'install(): only once, at the top level of a worker.' }

it('listens to whatever wakes the worker, and takes the pages that are open once it is active', () => {
  const { heard } = run('entry.install(options)')
  expect(new Set(heard)).toEqual(new Set(['message', 'sync', 'push', 'periodicsync', 'activate']))
})

it('leaves open pages alone where the app says so: only the engine hears that it is active', () => {
  const activates = ({ heard }: { heard: string[] }) => heard.filter((type) => type === 'activate').length
  expect(activates(run('entry.install({ ...options, clientsClaim: false })'))).toBe(1)
  expect(activates(run('entry.install(options)'))).toBe(2)
})

it('is refused twice in one worker: two engines would share a database', () => {
  expect(() => run('entry.install(options); entry.install(options)')).toThrow(
    expect.objectContaining(refused),
  )
})

it('is refused in a page, which has no registration', () => {
  expect(() => run('delete self.registration; entry.install(options)')).toThrow(
    expect.objectContaining(refused),
  )
})

it('may be called again where its options were refused', () => {
  expect(() => run('try { entry.install({}) } catch {} entry.install(options)')).not.toThrow()
})

it('is taken in what the script has promised at once, where workbox’s generateSW imports scripts', async () => {
  const { came } = run('return Promise.resolve().then(() => {}).then(() => entry.install(options))')
  await expect(came).resolves.toBeUndefined()
})

it('is refused later, and adds no listener: the browser would not wake the worker for it', async () => {
  const { heard, came } = run('return new Promise((go) => setTimeout(go)).then(() => entry.install(options))')
  await expect(came).rejects.toMatchObject(refused)
  expect(heard).toEqual([])
})
