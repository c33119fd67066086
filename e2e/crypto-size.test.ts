import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'vite'
import { expect, it } from 'vitest'
import { repositoryRoot } from './backend/repository-root.ts'

const ENTRY = 'holdfast-worker.js'

/** What of the worker is P-256: one line each, in place of which nothing is done. */
const P256: readonly (readonly [file: string, code: string])[] = [
  ['head.ts', "crypto.subtle.importKey('pkcs8', pkcs8, ECDSA, false, ['sign'])"],
  ['head.ts', 'await crypto.subtle.sign(ECDSA, key, serialiseHead(head))'],
  ['head.ts', 'crypto.subtle.verify(ECDSA, key, fromHex(signature), serialiseHead(head))'],
]

/** Without HPKE and X25519 (all of their modules), and without the lines above. */
const without: Plugin = {
  name: 'without',
  enforce: 'pre',
  async load(id) {
    if (!/src\/evidence\/(hpke|x25519)\.ts$/.test(id)) return undefined
    const code = await readFile(id, 'utf8')
    const names = [...code.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)]
    expect(names.length).toBeGreaterThan(2)
    return names.map(([, name]) => `export const ${name} = () => {}`).join('\n')
  },
  transform(code, id) {
    return P256.reduce(
      (text, [file, line]) => (id.endsWith(`/evidence/${file}`) ? text.replace(line, '0 as never') : text),
      code,
    )
  },
}

async function workerBytes(entry: string, plugins: readonly Plugin[] = []): Promise<number> {
  const itself: Plugin = {
    name: 'entry',
    resolveId: (id) => (id.endsWith(ENTRY) ? `${repositoryRoot()}/${ENTRY}` : undefined),
    load: (id) => (id.endsWith(ENTRY) ? entry : undefined),
  }
  const outputs = await build({
    configFile: false,
    root: repositoryRoot(),
    logLevel: 'warn',
    plugins: [itself, ...plugins],
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, lib: { entry: ENTRY, formats: ['iife'], name: 'entry' } },
  })
  for (const result of Array.isArray(outputs) ? outputs : [outputs])
    if ('output' in result) return gzipSync(result.output[0].code, { level: 9 }).length
  throw new Error('Nothing was built.')
}

it.each([
  ['with IPFS and a chain', ''],
  ['that seals too', "export { sealInWorker } from './sw/seal.ts'"],
])('has at most 1 kB of P-256 and HPKE: a worker %s', async (_which, more) => {
  const entry = `export { evm, install, ipfs } from './sw/index.ts'\n${more}`
  const whole = await workerBytes(entry)
  const bytes = whole - (await workerBytes(entry, [without]))
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThanOrEqual(1_000)
})

it('finds what it leaves out, each once', async () => {
  for (const [file, line] of P256) {
    const code = await readFile(`${repositoryRoot()}/src/evidence/${file}`, 'utf8')
    expect(code.split(line)).toHaveLength(2)
  }
})
