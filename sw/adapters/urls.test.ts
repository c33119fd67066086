import { describe, expect, test } from 'vitest'
import { REGISTRY } from '../testing/fake-chain-server.ts'
import { evm } from './anchors/evm.ts'
import { evmNodes } from './anchors/nodes.ts'
import { ipfs } from './transports/ipfs.ts'
import { pinata } from './transports/pinata.ts'
import { presignedPut } from './transports/put.ts'
import { resumable } from './transports/resumable.ts'
import { tus } from './transports/tus.ts'

// Promise 3 of docs/guarantees.md. What is no URL of a server is told where the worker is set up, and not by each upload. A host
// without its scheme would be a path on the app's own server.

const GOOD = 'https://server.example/'
const authorize = async () => ({})
const chain = { registry: REGISTRY, chainId: 1 }

const MADE_OF: readonly (readonly [option: string, make: (url: string) => unknown])[] = [
  ['ipfs: endpoint', (endpoint) => ipfs({ endpoint })],
  ['tus: endpoint', (endpoint) => tus({ endpoint })],
  ['resumable: endpoint', (endpoint) => resumable({ endpoint })],
  ['pinata: uploads', (uploads) => pinata({ authorize, uploads })],
  ['pinata: api', (api) => pinata({ authorize, api })],
  ['pinata: gateway', (gateway) => pinata({ gateway })],
  ['evm: rpcUrl', (rpcUrl) => evm({ ...chain, rpcUrl, relayUrl: GOOD })],
  ['evm: relayUrl', (relayUrl) => evm({ ...chain, rpcUrl: GOOD, relayUrl })],
  ['evm: one of several', (relayUrl) => evm({ ...chain, rpcUrl: GOOD, relayUrl: [GOOD, relayUrl] })],
  ['evmNodes: rpcUrls', (url) => evmNodes({ ...chain, rpcUrls: [GOOD, url], relayUrl: GOOD })],
]

const NONE = ['', 'server.example', 'localhost:5001/files', 'ftp://server.example/', 'https://', 'undefined']

describe.each(MADE_OF)('%s', (_, make) => {
  test.each(NONE)('refuses “%s” at once, and says what is missing', (url) => {
    expect(() => make(url)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('https://') as unknown }),
    )
  })

  test('takes a URL', () => {
    expect(make('HTTPS://server.example:8443/behind?a=b')).toBeDefined()
  })
})

test.each(MADE_OF.filter(([option]) => !option.startsWith('pinata')))(
  '%s: refuses a variable that is not set',
  (_, make) => {
    expect(() => make(undefined as never)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  },
)

test('a grant that is no URL is refused in the same words, and goes nowhere', async () => {
  const { probe } = presignedPut({ grant: async () => ({ url: 'bucket.example/object' }) })
  const upload = { cid: 'bafy', sha256: '00', sizeBytes: 1 } as never
  const attempt = {
    signal: new AbortController().signal,
    saveResumeToken: async () => {},
    progress: () => {},
  }
  await expect(probe(upload, attempt)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('https://') as unknown,
  })
})
