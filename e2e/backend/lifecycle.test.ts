import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BackendError, startBackend, type Backend } from './index.ts'
import { freePort } from './ports.ts'
import { repositoryRoot } from './repository-root.ts'
import { noise } from './bytes.ts'
import { added, addFile, isPinned } from './ipfs-client.ts'
import { aCall, receiptOf, relay } from './relay-client.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterAll(() => box.clear())

const blockNumber = async () => Number(await backend.chain.rpc('eth_blockNumber'))
const port = () => Number(new URL(backend.url).port)

test('keeps content, pins and chain over a restart', async () => {
  const bytes = noise('kept', 2_000_000)
  const cid = await added(backend, bytes)
  const { transactionHash } = await relay(backend, await aCall())
  const { registry } = backend.endpoints
  await backend.stop()
  backend = await box.start()
  expect(backend.endpoints.registry).toBe(registry)
  expect((await receiptOf(backend, transactionHash))?.status).toBe('0x1')
  expect(await isPinned(backend, cid)).toBe(true)
  const content = await fetch(`${backend.url}/ipfs/${cid}`)
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true)
  await added(backend, bytes)
  expect(backend.ledger.duplicates()).toMatchObject([{ key: cid }])
})

test('kills the chain for real, and starts it again where it was', async () => {
  const { transactionHash } = await relay(backend, await aCall())
  await backend.chain.mine(3)
  const height = await blockNumber()
  await backend.chain.stop()
  expect(backend.chain.running).toBe(false)
  await expect(backend.chain.rpc('eth_blockNumber')).rejects.toThrow('does not answer')
  await expect(fetch(backend.endpoints.rpcUrl, { method: 'POST', body: '{}' })).rejects.toThrow(
    'fetch failed',
  )
  await expect(backend.chain.mine()).rejects.toThrow('chain.start()')
  await backend.chain.start()
  expect(await blockNumber()).toBeGreaterThanOrEqual(height)
  expect((await receiptOf(backend, transactionHash))?.status).toBe('0x1')
  expect(box.lines.filter((line) => line.includes('unexpectedly'))).toEqual([])
})

test('cannot reorganise what was mined before the chain’s last start, and says so', async () => {
  await backend.chain.mine(3)
  await backend.chain.stop()
  await backend.chain.start()
  await expect(backend.chain.reorg(2)).rejects.toMatchObject({ code: 'reorg-too-deep' })
})

test('says so when the chain dies by itself, and can start it again', async () => {
  const said = new Promise<string>((resolve) => {
    box.told = resolve
  })
  process.kill(await anvilPid(backend), 'SIGKILL')
  expect(await said).toContain('ended unexpectedly: SIGKILL')
  expect(backend.chain.running).toBe(false)
  await backend.chain.start()
  expect(await blockNumber()).toBeGreaterThan(0)
})

/** The id of the process that listens on the chain's port. */
async function anvilPid(victim: Backend): Promise<number> {
  const wanted = new URL(victim.chain.url).port
  const list = spawn('ps', ['-eo', 'pid=,args='], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  list.stdout.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  await once(list, 'close')
  const line = text.split('\n').find((row) => row.includes(`--port ${wanted} `)) ?? ''
  return Number(line.trim().split(' ')[0])
}

test('refuses connections while it is paused, cuts what was under way, and comes back on its port', async () => {
  const before = backend.url
  const held = backend.faults.add({ service: 'ipfs', kind: 'hold', hold: 'after', times: 1 })
  const cut = expect(addFile(backend, noise('paused', 1000))).rejects.toThrow('fetch failed')
  await held.arrived
  await backend.pause()
  await cut
  for (const path of ['/api/v0/version', '/relay', '/chain', '/ipfs/x', '/']) {
    const failure: unknown = await fetch(before + path).catch((error: Error) => error.cause)
    expect(failure).toMatchObject({ code: 'ECONNREFUSED' })
  }
  expect(await blockNumber()).toBeGreaterThan(0)
  await backend.unpause()
  expect((await fetch(`${before}/relay`)).status).toBe(200)
})

test('goes down and up on ports that no other program is given meanwhile', () => {
  for (const { port } of [new URL(backend.url), new URL(backend.chain.url)])
    expect(Number(port)).toBeLessThan(LOWEST_GIVEN)
})

test('names the port that is taken, who wanted it, and the option that changes it', async () => {
  const squatter = createServer()
  squatter.listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const address = squatter.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  const other = await sandbox()
  const refusal = async (options: object) => other.start(options).catch((error: unknown) => error)
  const http = await refusal({ port: taken })
  expect(http).toBeInstanceOf(BackendError)
  expect(http).toMatchObject({ code: 'port-taken', message: expect.stringContaining(`Port ${taken}`) })
  expect(http).toMatchObject({ message: expect.stringContaining('--backend-port') })
  expect(await refusal({ chainPort: taken })).toMatchObject({
    code: 'port-taken',
    message: expect.stringMatching(new RegExp(`Port ${taken} is taken, and the chain.*--chain-port`)),
  })
  squatter.close()
  await other.clear()
})

test('lets one backend at a time have a data folder, and takes over from a dead one', async () => {
  const second = startBackend({ dataDir: box.dataDir, port: 0, chainPort: 0 })
  await expect(second).rejects.toMatchObject({ code: 'data-dir-busy' })
  expect(await isPinned(backend, await added(backend, noise('unharmed', 10)))).toBe(true)
  await backend.stop()
  await writeFile(join(box.dataDir, 'backend.lock'), `${process.pid} 1`)
  backend = await box.start()
})

test('starts over when asked to, and deletes nothing of others', async () => {
  const cid = await added(backend, noise('forgotten', 10))
  const { transactionHash } = await relay(backend, await aCall())
  const foreign = join(box.dataDir, 'notes.txt')
  await writeFile(foreign, 'mine')
  await backend.stop()
  backend = await box.start({ fresh: true })
  expect(await isPinned(backend, cid)).toBe(false)
  expect(await receiptOf(backend, transactionHash)).toBeNull()
  expect(await readFile(foreign, 'utf8')).toBe('mine')
})

test('stops everything: port, chain and lock are free', async () => {
  const { url, chain } = backend
  const pid = await anvilPid(backend)
  await backend.stop()
  await expect(fetch(url)).rejects.toThrow()
  await expect(fetch(chain.url)).rejects.toThrow()
  expect(isAlive(pid)).toBe(false)
  await expect(access(join(box.dataDir, 'backend.lock'))).rejects.toThrow()
  backend = await box.start({ port: Number(new URL(url).port) })
  expect(port()).toBe(Number(new URL(url).port))
})

test('leaves no chain behind when its process is killed', async () => {
  const outDir = join(repositoryRoot(), 'dist', 'e2e', 'backend-of-the-lifecycle-test')
  const entry = join(repositoryRoot(), 'e2e', 'backend', 'anvil.ts')
  await build({ configFile: false, logLevel: 'error', build: { ssr: entry, outDir, minify: false } })
  const options = { port: await freePort(ANY), stateFile: 'none', cacheDir: outDir }
  const program = `import(${JSON.stringify(pathToFileURL(join(outDir, 'anvil.js')))})
    .then(({ startAnvil }) => startAnvil(${JSON.stringify(options)}))
    .then(({ pid }) => console.log(pid))`
  const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer]
  expect(isAlive(Number(pid))).toBe(true)
  parent.kill('SIGKILL')
  await expect.poll(() => isAlive(Number(pid)), { interval: 10 }).toBe(false)
  await rm(outDir, { recursive: true })
})

/** To whoever asks for any: by Linux, the lowest of them. */
const LOWEST_GIVEN = 32_768
const ANY = { port: 0, wantedBy: 'a test', option: '' }

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
