import { expect, it } from 'vitest'
import { evm } from './adapters/anchors/evm.ts'
import { ipfs } from './adapters/transports/ipfs.ts'
import { checkOptions } from './install-options.ts'

const transport = ipfs({ endpoint: 'https://ipfs.example' })
const anchor = evm({ rpcUrl: 'https://rpc.example', relayUrl: 'https://relay.example', registry: '0x0' })
const hook = async () => undefined

it.each([
  [{ transport }],
  [{ transport, anchor }],
  [{ transport, anchor: undefined, onSettled: hook, lastChance: hook, wake: hook, sealer: hook }],
])('the options of install that are right are taken: %o', (options) => {
  expect(() => checkOptions(options as never)).not.toThrow()
})

it.each([
  [undefined, 'install({ transport }): expected a working transport (send).'],
  [{}, 'install({ transport }): expected a working transport (send).'],
  [{ transport: 'https://ipfs.example' }, 'install({ transport }): expected a working transport (send).'],
  // Nobody has called what makes it.
  [{ transport: ipfs }, 'install({ transport }): expected a working transport (send).'],
  [{ transport: Promise.resolve(transport) }, 'install({ transport }): expected a working transport (send).'],
  [{ transport, anchor: null }, 'install({ anchor }): expected a working anchor (submit).'],
  [{ transport, anchor: transport }, 'install({ anchor }): expected a working anchor (submit).'],
  [{ transport, onSettled: true }, 'install({ onSettled }): expected a working onSettled (function).'],
  [{ transport, anchr: anchor }, 'install({ anchr }): there are only transport,anchor,'],
])('an option of install that is wrong is told by its name, with what is expected: %o', (options, words) => {
  const check = () => checkOptions(options as never)
  expect(check).toThrow(expect.objectContaining({ code: 'bad-input' }))
  expect(check).toThrow(words)
})
