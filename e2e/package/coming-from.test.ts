import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Holdfast } from '../../src/api.ts'
import type { Settled } from '../../sw/engine/context.ts'
import { newGroup } from '../../src/group.ts'
import { fakeWorker } from '../../src/testing.ts'
import type { FileProgress, FileUpload } from '../../src/upload/upload.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { filesOf } from './app.ts'

// The small apps of the pages for those who come from elsewhere, as they stand there, over a fake worker.

const root = repositoryRoot()

/** What the app's worker installs, told to the test. */
const FAKE_WORKER = `
export const installed = []
export const install = (options) => installed.push(options)
export const presignedPut = (options) => options
`

interface Uppy {
  getFile(id: string): { data: Blob; type?: string; meta: Record<string, string> }
  addUploader(upload: (ids: string[]) => Promise<void>): void
  emit(event: string, file: unknown, told: object): void
}

interface Apps {
  start(holdfast: Holdfast, file: File, key: string, tell: (now: FileProgress) => void): FileUpload
  holdfastUploader(uppy: Uppy, connected: Promise<Holdfast>, key: string): void
  send(holdfast: Holdfast, body: Blob, key: string, tenant: string): Promise<void>
  readonly installed: readonly {
    readonly transport: { grant(wanted: object): Promise<unknown> }
    onSettled(settled: Pick<Settled, 'key'> & { session: { name: string; anchor?: object } }): Promise<void>
  }[]
}

let folder: string
let apps: Apps
beforeAll(async () => {
  await mkdir(join(root, '.holdfast'), { recursive: true })
  folder = await mkdtemp(join(root, '.holdfast', 'coming-from-'))
  const tus = await filesOf('from-tus-js-client.md')
  const uppy = await filesOf('from-uppy.md')
  const workbox = await filesOf('from-workbox-background-sync.md')
  const files = {
    // Of its own: what the library's says of side effects is not true of an app.
    'package.json': '{ "type": "module" }',
    'fake-worker.js': FAKE_WORKER,
    'tus.ts': tus['src/upload.ts'],
    'uppy.ts': uppy['src/uppy-uploader.ts'],
    'sw.ts': workbox['src/sw.ts'],
    'send.ts': workbox['src/send.ts'],
    'index.ts': `import './sw'
export * from './fake-worker.js'
export * from './tus'
export * from './uppy'
export * from './send'
`,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text ?? '')
  await build({
    configFile: false,
    logLevel: 'warn',
    root: folder,
    resolve: {
      alias: [
        { find: 'holdfast/upload', replacement: join(root, 'src/upload/upload.ts') },
        { find: /^holdfast\/sw(\/put)?$/, replacement: join(folder, 'fake-worker.js') },
      ],
    },
    build: { lib: { entry: 'index.ts', formats: ['es'], fileName: () => 'index.js' }, outDir: 'built' },
  })
  apps = (await import(pathToFileURL(join(folder, 'built', 'index.js')).href)) as Apps
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const FILE = new File(['a file of some bytes'], 'notes.txt', { type: 'text/plain', lastModified: 1 })

it('tus-js-client: a file is uploaded with its name, and told until it is settled', async () => {
  const worker = fakeWorker()
  const { publicKey } = await newGroup()
  const told: FileProgress[] = []
  const uploading = apps.start(worker.connect(), FILE, publicKey, (now) => told.push(now))
  await uploading.handedOver
  expect(told.at(-1)?.handedBytes).toBe(FILE.size)
  worker.advance('confirmed')
  const { parts } = await uploading.done
  expect(parts).toHaveLength(1)
  expect(told.at(-1)?.settled).toBe(true)
})

it('Uppy: an uploader hands each file over, and tells Uppy how far it is', async () => {
  const worker = fakeWorker()
  const { publicKey } = await newGroup()
  const emitted: [string, object][] = []
  let uploader = async (_ids: string[]): Promise<void> => undefined
  const uppy: Uppy = {
    getFile: () => ({ data: FILE, type: FILE.type, meta: { name: FILE.name } }),
    addUploader: (upload) => (uploader = upload),
    emit: (event, _file, told) => emitted.push([event, told]),
  }
  const holdfast = worker.connect()
  apps.holdfastUploader(uppy, Promise.resolve(holdfast), publicKey)
  await uploader(['one'])
  expect(emitted).toContainEqual(['upload-progress', { bytesUploaded: FILE.size, bytesTotal: FILE.size }])
  expect(emitted.at(-1)?.[0]).toBe('upload-success')
  expect(await holdfast.sessions()).toMatchObject([{ ending: 'complete', mimeType: 'text/plain' }])
})

it('workbox-background-sync: a body is durable with its labels, and the server hears of it until it says yes', async () => {
  const worker = fakeWorker()
  const holdfast = worker.connect()
  await apps.send(holdfast, FILE, (await newGroup()).publicKey, 'a7')
  expect(await holdfast.sessions()).toMatchObject([{ ending: 'complete', labels: { tenant: 'a7' } }])

  const answers = [Response.json({ url: 'https://store.example/x' }), Response.error(), new Response(null)]
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => answers.shift() ?? Response.error())
  vi.stubGlobal('fetch', fetched)
  const [{ transport, onSettled }] = apps.installed as [Apps['installed'][number]]
  expect(await transport.grant({ method: 'PUT' })).toEqual({ url: 'https://store.example/x' })
  const settled = { key: 'a/1', session: { name: 'a' } }
  await expect(onSettled(settled)).rejects.toThrow('The server answered')
  await onSettled(settled)
  expect(fetched.mock.calls.at(-1)).toEqual([
    '/uploads',
    { method: 'POST', body: '{"key":"a/1","name":"a"}' },
  ])
})
