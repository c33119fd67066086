import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { filterProblems } from '@arethetypeswrong/core/problems'
import { transformWithOxc } from 'vite'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import type * as page from '../../src/index.ts'
import type * as pageInNode from '../../src/index.node.ts'
import type * as worker from '../../sw/index.ts'
import type * as workerInNode from '../../sw/index.node.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { bundle } from '../bundle.ts'
import { worldOf } from '../second-implementation/evidence-world.ts'
import { REGISTRY, startFakeNode } from '../second-implementation/fake-node.ts'
import { randomFrom } from '../second-implementation/random.ts'
import { groupOf, Recording } from '../second-implementation/recording.ts'
import { takesWhole } from '../test-size.ts'
import { filesOf, ownLines } from './app.ts'
import { inNode, packClone, typeCheck, type Clone } from './tarball.ts'

const manifest = JSON.parse(readFileSync(join(repositoryRoot(), 'package.json'), 'utf8'))
const ENTRIES = Object.keys(manifest.exports).map((path) => path.replace('.', 'holdfast'))
const BESIDE_THE_LIBRARY = ['LICENSE', 'README.md', 'package.json']

/** They name what only a page has: a camera's stream, and elements. */
const OF_PAGES_ALONE = new Set(['holdfast/capture', 'holdfast/elements'])
/** How modules are found by Node's `import` and by bundlers: the package has no CommonJS. */
const ESM_RESOLUTIONS = ['node16-esm', 'bundler'] as const
/** Of each the first two meet all. */
const ALL_SETTINGS = [
  ['dom', 'esnext'],
  ['webworker', 'nodenext'],
  ['dom', 'nodenext'],
  ['webworker', 'esnext'],
] as const
const isIn = (path: string, folder: string) => folder.endsWith('/') && path.startsWith(folder)

describe('the package of a clone in which nothing was built', () => {
  let clone: Clone
  beforeAll(async () => {
    clone = await packClone()
  }, 300_000)
  afterAll(() => clone?.clear())

  it('holds the whole library and nothing else', () => {
    const expected = [...clone.library, ...clone.docs, ...BESIDE_THE_LIBRARY]
    expect(clone.files.toSorted()).toEqual(expected.toSorted())
    expect(clone.files.filter((path) => /vector|\.test\.|\.tsbuildinfo/.test(path))).toEqual([])
  })

  if (takesWhole())
    it('is the same where tests, vectors and demo were built too', async () => {
      expect((await clone.packEverything()).toSorted()).toEqual(clone.files.toSorted())
    })

  it.each(takesWhole() ? ALL_SETTINGS : ALL_SETTINGS.slice(0, 2))(
    'has types without a flaw under lib %s, module %s',
    async (lib, module) => {
      const entries = ENTRIES.filter((entry) => lib === 'dom' || !OF_PAGES_ALONE.has(entry))
      const source = `all-${lib}-${module}.ts`
      const lines = entries.map((entry, at) => `export * as entry${at} from '${entry}'\n`)
      await writeFile(join(clone.app, source), lines.join(''))
      await typeCheck(clone.app, source, { lib, module })
    },
  )

  it('has types that are found as its code is, wherever modules of the language are', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(readFileSync(clone.tarball)))
    if (!analysis.types) throw new Error('There are no types.')
    const problems = ESM_RESOLUTIONS.flatMap((resolutionKind) => filterProblems(analysis, { resolutionKind }))
    expect(problems).toEqual([])
    expect(Object.keys(analysis.entrypoints).length).toBe(ENTRIES.length)
  })

  it('has a source map for each script, with the sources in it', () => {
    const installed = join(clone.app, 'node_modules', 'holdfast')
    const scripts = clone.files.filter((path) => path.endsWith('.js'))
    const withoutSources = scripts.filter((path) => {
      const script = join(installed, path)
      const [, name] = /^\/\/# sourceMappingURL=(\S+)$/m.exec(readFileSync(script, 'utf8')) ?? []
      if (name === undefined) return true
      const map = JSON.parse(readFileSync(join(script, '..', name), 'utf8'))
      return map.sources.length === 0 || map.sources.length !== map.sourcesContent?.length
    })
    expect(scripts).not.toEqual([])
    expect(withoutSources).toEqual([])
  })

  it('has a README whose links lead to files that it has', () => {
    const readme = readFileSync(join(clone.app, 'node_modules', 'holdfast', 'README.md'), 'utf8')
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = '']) => link)
    expect(links).not.toEqual([])
    expect(links.filter((link) => !clone.files.some((path) => path === link || isIn(path, link)))).toEqual([])
  })

  // One after the other in one process; `.ci/run` gives each a process of its own.
  it.each(takesWhole() ? ENTRIES.map((entry) => [entry]) : [ENTRIES])(
    '%s can be imported in plain Node, which does nothing',
    async (...entries) => {
      const imported = (await inNode(clone.app, importing(entries))) as Imported[]
      expect(imported.map(({ did }) => did)).toEqual(entries.map(() => []))
      expect(imported).toHaveLength(entries.length)
      for (const { names } of imported) expect(names).not.toEqual([])
    },
  )

  it('makes transports and anchor in Node, and says where connect and install belong', async () => {
    expect(await inNode(clone.app, USE)).toEqual({
      transports: ['object', 'object', 'object', 'object', 'object', 'object'],
      anchor: 'object',
      account: 'object',
      nodes: 'object',
      connect: ['HoldfastError', 'no-service-worker'],
      install: ['HoldfastError', 'no-service-worker'],
    })
  })

  it('is all that another store needs: its transport in one file, typed, and under the contract', async () => {
    await writeFile(join(clone.app, 'own-store.ts'), OWN_TRANSPORT)
    await typeCheck(clone.app, 'own-store.ts')
    expect(await inNode(clone.app, UNDER_CONTRACT)).toEqual(NEEDS_NO_FAULTS.map((title) => [title, 'ok']))
  })

  it('has a command that reads a recording back', async () => {
    const group = groupOf(randomFrom('tarball.test').bytes(32))
    const recording = new Recording('tarball.test', { groups: [group] })
    for (const [index, piece] of ['the header, ', 'and the rest'].entries())
      await recording.chunk(index, Buffer.from(piece))
    recording.end('complete', 2)
    recording.publish()
    const node = await startFakeNode(worldOf(recording))
    try {
      const places = ['--node', node.rpcUrl, '--registry', REGISTRY, '--gateway', node.gateway]
      const args = [
        'read',
        recording.keys.name.toString('hex'),
        ...places,
        '--out',
        'video.webm',
        '--verdicts',
      ]
      const HOLDFAST_KEY = group.privateKey.toString('hex')
      const command = join(clone.app, 'node_modules', 'holdfast', manifest.bin.holdfast)
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [command, ...args], {
        cwd: clone.app,
        env: { ...process.env, HOLDFAST_KEY },
      })
      expect(stdout.split('\n').map((line) => line.split('\t')[1])).toEqual(['proved', 'proved', undefined])
      expect(stderr).toContain('Proved: 2 of 2 chunks')
      expect(readFileSync(join(clone.app, 'video.webm'), 'utf8')).toBe('the header, and the rest')
    } finally {
      node.close()
    }
  })

  it('makes the keys of a group by the command of the quick start', async () => {
    const page = readFileSync(join(repositoryRoot(), 'docs', 'quick-start-files.md'), 'utf8')
    const [, code = ''] = /^node --input-type=module -e "(.*?)"$/ms.exec(page) ?? []
    const args = ['--input-type=module', '-e', code]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: clone.app })
    const [, publicKey, privateKey = ''] = /^public (\S+) private (\S+)$/m.exec(stdout) ?? []
    expect(groupOf(Buffer.from(privateKey, 'hex')).publicKey.toString('hex')).toBe(publicKey)
  })

  it('has a command that ends as it would where nobody reads what it says', async () => {
    const command = join(clone.app, 'node_modules', 'holdfast', manifest.bin.holdfast)
    const child = spawn(process.execPath, [command, '--help'], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.destroy()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('reads on a server by the recipes of docs/backend.md, in 20 lines at the most, from each kind of store', async () => {
    const files = await filesOf('backend.md')
    for (const [path, code] of Object.entries(files)) {
      expect(ownLines({ [path]: code }), path).toBeLessThanOrEqual(20)
      const { code: script } = await transformWithOxc(code, path)
      await writeFile(join(clone.app, basename(path, '.ts') + '.js'), script)
    }
    const group = groupOf(randomFrom('backend.md').bytes(32))
    const recording = new Recording('backend.md', { groups: [group] })
    for (const [index, piece] of ['the header, ', 'and the rest'].entries())
      await recording.chunk(index, Buffer.from(piece))
    recording.end('complete', 2)
    recording.publish()
    const world = worldOf(recording)
    const objects = join(clone.app, 'objects')
    await mkdir(objects)
    for (const [cid, bytes] of world.objects) await writeFile(join(objects, cid), bytes)
    const node = await startFakeNode(world)
    const of = {
      name: recording.keys.name.toString('hex'),
      chain: { rpcUrl: node.rpcUrl, registry: REGISTRY },
      key: group.privateKey.toString('hex'),
    }
    const program = `
import { save } from './save.js'
import { bucket } from './bucket.js'
import { folder } from 'holdfast/verify/node'
import { readFile } from 'node:fs/promises'
const { name, chain, key } = ${JSON.stringify(of)}
const groupKey = new Uint8Array(Buffer.from(key, 'hex'))
const places = [
  { gateway: '${node.gateway}' },
  { gateway: [], sources: [bucket('${node.gateway}/ipfs')] },
  { gateway: [], sources: [folder('objects')] },
]
const saved = []
for (const place of places)
  saved.push([await save('out.bin', { name, chain, groupKey, ...place }), await readFile('out.bin', 'utf8')])
console.log(JSON.stringify(saved))
`
    try {
      const whole = [true, 'the header, and the rest']
      expect(await inNode(clone.app, program)).toEqual([whole, whole, whole])
    } finally {
      node.close()
    }
  })

  it.each([
    ['holdfast', 'connect', 'navigator.serviceWorker.register('],
    ['holdfast/sw', 'install', 'workbox-background-sync'],
  ])('%s is whole where an app is bundled for browsers', async (entry, name, part) => {
    const file = join(clone.app, `${name}.js`)
    await writeFile(file, `import { ${name} } from '${entry}'\nself.${name} = ${name}\n`)
    const code = await bundle(file)
    expect(code).toContain(part)
    expect(code).not.toContain('the entry for Node')
  })
})

it('has in Node the names and types that it has in a browser', () => {
  expectTypeOf<typeof pageInNode>().toEqualTypeOf<typeof page>()
  expectTypeOf<typeof workerInNode>().toEqualTypeOf<typeof worker>()
})

interface Imported {
  /** What of the platform was used or added. */
  readonly did: readonly string[]
  readonly names: readonly string[]
}

const importing = (entries: readonly string[]) => `
let did = []
const told = (owner, name) => {
  const original = owner[name]
  owner[name] = function (...args) {
    did.push(name)
    return Reflect.apply(original, this, args)
  }
}
for (const name of ['fetch', 'setTimeout', 'setInterval']) told(globalThis, name)
told(EventTarget.prototype, 'addEventListener')
told(process, 'on')
const before = new Set(Object.getOwnPropertyNames(globalThis))
const imported = []
for (const entry of ${JSON.stringify(entries)}) {
  did = []
  const names = Object.keys(await import(entry))
  did.push(...Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)))
  imported.push({ did, names })
}
console.log(JSON.stringify(imported))
`

const USE = `
import { connect } from 'holdfast'
import { evm, install, ipfs } from 'holdfast/sw'
import { copies } from 'holdfast/sw/copies'
import { byAccount } from 'holdfast/sw/account'
import { evmNodes } from 'holdfast/sw/nodes'
import { pinata } from 'holdfast/sw/pinata'
import { presignedPut } from 'holdfast/sw/put'
import { resumable } from 'holdfast/sw/resumable'
import { tus } from 'holdfast/sw/tus'

const endpoint = 'https://store.example'
const transports = [
  ipfs({ endpoint }),
  tus({ endpoint }),
  resumable({ endpoint }),
  presignedPut({ grant: async () => ({ url: endpoint }) }),
  pinata({ endpoint, gateway: endpoint }),
]
transports.push(copies([transports[0], transports[1]]))
const anchor = evm({ registry: '0x' + '11'.repeat(20), rpcUrl: endpoint, relayUrl: endpoint })
const failure = (error) => [error.name, error.code]
console.log(
  JSON.stringify({
    transports: transports.map((transport) => typeof transport),
    anchor: typeof anchor,
    account: typeof byAccount(anchor, async () => undefined),
    nodes: typeof evmNodes({ registry: '0x' + '11'.repeat(20), rpcUrls: [endpoint], chainId: 1, relayUrl: endpoint }),
    connect: await connect({ scriptUrl: '/sw.js' }).catch(failure),
    install: await (async () => install({ transport: transports[0], anchor }))().catch(failure),
  }),
)
`

/** A store that takes an object by PUT under its digest, and gives it back: as an app would write it. */
const OWN_TRANSPORT = `
import { adaptiveTimeout, httpError, HoldfastError, type Transport } from 'holdfast/sw/extend'

export function ownStore(endpoint: string): Transport {
  const http = adaptiveTimeout()
  return {
    name: 'own',
    async probe({ sha256, sizeBytes }, { signal, progress }) {
      const answer = await http.request(\`\${endpoint}/\${sha256}\`, { method: 'HEAD' }, { signal })
      if (answer.status === 404) return { kind: 'nothing' }
      if (!answer.ok) throw httpError(answer)
      progress(sizeBytes)
      return { kind: 'all', proved: answer.headers.get('etag') === sha256 }
    },
    async send({ sha256, sizeBytes }, bytes, _held, { signal, progress }) {
      const put = { method: 'PUT', body: bytes }
      const answer = await http.request(\`\${endpoint}/\${sha256}\`, put, { signal, bodyBytes: sizeBytes })
      if (!answer.ok) throw httpError(answer)
      progress(sizeBytes)
      return answer.headers.get('etag') === sha256 ? 'proved' : 'sent'
    },
    async verify({ cid }) {
      throw new HoldfastError('address-mismatch', \`The store has other bytes for \${cid}.\`)
    },
  }
}
`

/** Cases of the contract whose store does nothing wrong. */
const NEEDS_NO_FAULTS = [
  'proves a copy that readers then find, and tells its progress',
  'carries an object of a few bytes, such as a page of a log',
  'finds its copy in another life, and sends nothing',
  'says nothing is there of what was never sent',
]

const UNDER_CONTRACT = `
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { TRANSPORT_CONTRACT } from 'holdfast/contracts'
import { ownStore } from './own-store.js'

const stored = new Map()
const requests = []
const server = createServer(async (request, response) => {
  const name = request.url.slice(1)
  const parts = []
  for await (const part of request) parts.push(part)
  const bytes = Buffer.concat(parts)
  const duplicate = request.method === 'PUT' && stored.has(name)
  if (request.method === 'PUT') stored.set(name, bytes)
  requests.push({ name, method: request.method, bytesReceived: bytes.length, resentBytes: 0, changed: request.method === 'PUT' && !duplicate, duplicate })
  const found = stored.get(name)
  if (!found) return response.writeHead(404).end()
  response.writeHead(200, { etag: createHash('sha256').update(found).digest('hex') }).end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const endpoint = 'http://127.0.0.1:' + server.address().port
const harness = {
  transport: () => ownStore(endpoint),
  asked: () => [],
  secret: 'none',
  findsByName: true,
  clear: async () => {},
  seen: async ({ sha256 }) => requests.filter(({ name }) => name === sha256),
  read: async ({ sha256 }) => new Uint8Array(stored.get(sha256)),
}
const results = []
for (const title of ${JSON.stringify(NEEDS_NO_FAULTS)}) {
  const found = TRANSPORT_CONTRACT.find((one) => one.title === title)
  results.push([title, await found.run(harness).then(() => 'ok', (error) => String(error))])
}
server.close()
server.closeAllConnections()
console.log(JSON.stringify(results))
`
