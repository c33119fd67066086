import { createWalletClient, defineChain, http, parseEther, publicActions, type Hex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { byAccount, type AnchorCall } from '../../sw/adapters/anchors/account.ts'
import { evm } from '../../sw/adapters/anchors/evm.ts'
import { ANCHOR_CONTRACT, type AnchorHarness } from '../../sw/contracts/anchor.contract.ts'
import { signedSession } from '../../sw/contracts/signed-session.ts'
import type { Backend } from './index.ts'
import { relay, relayBody } from './relay-client.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

// Promise 3 of docs/guarantees.md: heads by an account of viem's, on a real chain.

const neverAborted = new AbortController().signal
const HASH = `0x${'9'.repeat(64)}` as const

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => {
  vi.useRealTimers()
  backend.faults.clear()
  backend.chain.setMining(true)
})
afterAll(() => box.clear())

/** A wallet whose key nobody else has, as docs/guide.md makes one. */
async function walletOf({ funds = '1', rpcUrl = backend.chain.url } = {}) {
  const account = privateKeyToAccount(generatePrivateKey())
  await backend.chain.rpc('anvil_setBalance', [account.address, `0x${parseEther(funds).toString(16)}`])
  const chain = defineChain({
    id: backend.chain.chainId,
    name: 'local',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  })
  const transport = http(rpcUrl, { retryCount: 0 })
  return createWalletClient({ account, chain, transport }).extend(publicActions)
}
type Wallet = Awaited<ReturnType<typeof walletOf>>

/** What the guide shows. */
const sendBy =
  (wallet: Wallet) =>
  async ({ to, data, stuck }: AnchorCall) => {
    const before = stuck && (await wallet.getTransaction({ hash: stuck }).catch(() => undefined))
    if (!before || before.blockNumber !== null) return wallet.sendTransaction({ to, data })
    const { nonce, maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = before
    const fees = { maxFeePerGas: 2n * maxFeePerGas, maxPriorityFeePerGas: 2n * maxPriorityFeePerGas }
    return wallet.sendTransaction({ to, data, nonce, ...fees })
  }

const anchorBy = (send: (call: AnchorCall) => Promise<unknown>, registry?: string) => {
  const { rpcUrl, registry: ours, chainId } = backend.endpoints
  return byAccount(evm({ rpcUrl, registry: registry ?? ours, chainId, relayUrl: [] }), send)
}

/** How many transactions of it the chain has. */
const minedBy = ({ account: { address } }: Wallet) =>
  backend.chain.rpc('eth_getTransactionCount', [address, 'latest']).then(Number)

describe('the contract of anchors, by an account', () => {
  let wallet: Wallet
  beforeAll(async () => {
    wallet = await walletOf()
  })

  function harness(): AnchorHarness {
    let send = sendBy(wallet)
    let registry: string | undefined
    const handed: string[] = []
    return {
      anchor: () =>
        anchorBy((call) => {
          // Name, size and root: the rest of a head has many forms.
          handed.push(call.data.slice(0, 10 + 3 * 64))
          return send(call)
        }, registry),
      async mine(request) {
        expect(await relay(backend, relayBody(request))).toMatchObject({ status: 200 })
        await backend.chain.mine()
      },
      deepen: () => backend.chain.mine(),
      async fault(fault) {
        const refused = '{"error":{"code":-32000,"message":"header not found"}}'
        if (fault === 'no-registry') registry = `0x${'5'.repeat(40)}`
        else if (fault === 'read-refused')
          backend.faults.add({ service: 'chain', kind: 'status', status: 400, body: refused })
        else if (fault === 'relay-lies') send = async () => HASH
        else
          send = async () => {
            throw new Error('insufficient funds')
          }
      },
      handedOver: () => handed,
    }
  }

  for (const { title, run } of ANCHOR_CONTRACT) it(title, () => run(harness()))
})

describe('heads that an account brings', () => {
  it('at once, of several sessions, are one transaction each, none of which replaces another', async () => {
    const wallet = await walletOf()
    const anchor = anchorBy(sendBy(wallet))
    backend.chain.setMining(false)
    const requests = await Promise.all([1, 2, 3].map(async (size) => (await signedSession()).request(size)))
    await Promise.all(requests.map((request) => anchor.submit(request, neverAborted)))
    await backend.chain.mine()
    for (const { head } of requests)
      expect(await anchor.read(head.name, neverAborted)).toMatchObject({ latest: { size: head.size } })
    expect(await minedBy(wallet)).toBe(3)
  })

  it('while the fee is too low, replace what waits, at its nonce, and are paid once', async () => {
    const wallet = await walletOf()
    const calls: AnchorCall[] = []
    const anchor = anchorBy((call) => {
      calls.push(call)
      return sendBy(wallet)(call)
    })
    backend.chain.setMining(false)
    const session = await signedSession()
    const [three, four] = [await session.request(3), await session.request(4, { end: true })]
    await anchor.submit(three, neverAborted)
    for (const request of [three, four]) {
      vi.setSystemTime(Date.now() + 15_000)
      expect((await anchor.read(three.head.name, neverAborted)).latest).toBeUndefined()
      await anchor.submit(request, neverAborted)
    }
    expect(calls.map(({ stuck }) => typeof stuck)).toEqual(['undefined', 'string', 'string'])
    expect(calls[1]?.stuck === calls[2]?.stuck).toBe(false)
    await backend.chain.mine()
    expect(await anchor.read(three.head.name, neverAborted)).toMatchObject({ latest: { size: 4, end: true } })
    expect(await minedBy(wallet)).toBe(1)
  })

  it('right after one another are not taken for stuck', async () => {
    const wallet = await walletOf()
    const stuck: unknown[] = []
    const anchor = anchorBy((call) => {
      stuck.push(call.stuck)
      return sendBy(wallet)(call)
    })
    backend.chain.setMining(false)
    const session = await signedSession()
    for (const size of [1, 2]) await anchor.submit(await session.request(size), neverAborted)
    await backend.chain.mine()
    expect(await minedBy(wallet)).toBe(2)
    const { head } = await session.request(2)
    expect(await anchor.read(head.name, neverAborted)).toMatchObject({ latest: { size: 2 } })
    // And what the chain shows is not.
    vi.setSystemTime(Date.now() + 15_000)
    await anchor.submit(await session.request(3), neverAborted)
    expect(stuck).toEqual([undefined, undefined, undefined])
  })

  it('come again where a reorganisation took them', async () => {
    const anchor = anchorBy(sendBy(await walletOf()))
    const request = await (await signedSession()).request(3)
    for (const _ of [1, 2]) {
      await anchor.submit(request, neverAborted)
      await backend.chain.mine()
      expect(await anchor.read(request.head.name, neverAborted)).toMatchObject({ latest: { size: 3 } })
      await backend.chain.reorg(1)
      expect((await anchor.read(request.head.name, neverAborted)).latest).toBeUndefined()
      vi.setSystemTime(Date.now() + 15_000)
    }
  })

  it('by one whose nonce was used elsewhere are tried again, and no longer to replace that', async () => {
    const wallet = await walletOf()
    backend.chain.setMining(false)
    const anchor = anchorBy(sendBy(wallet))
    const request = await (await signedSession()).request(3)
    await anchor.submit(request, neverAborted)
    const used = anchorBy(({ to, data, stuck }) =>
      wallet.sendTransaction({ to, data, ...(stuck && { nonce: 0 }) }),
    )
    const other = await (await signedSession()).request(1)
    await used.submit(other, neverAborted)
    await backend.chain.mine()
    vi.setSystemTime(Date.now() + 15_000)
    await expect(used.submit(await (await signedSession()).request(1), neverAborted)).resolves.toBeUndefined()
    await expect(used.submit(other, neverAborted)).rejects.toMatchObject({
      code: 'bad-answer',
      class: 'conflict',
    })
    await expect(used.submit(other, neverAborted)).resolves.toBeUndefined()
  })
})

describe('what the chain finds too cheap', () => {
  it('to replace what waits is tried again, still at its nonce, and with time', async () => {
    const wallet = await walletOf()
    const stuck: (Hex | undefined)[] = []
    const anchor = anchorBy(async (call) => {
      stuck.push(call.stuck)
      const before = call.stuck && (await wallet.getTransaction({ hash: call.stuck }))
      const { to, data } = call
      if (!before) return wallet.sendTransaction({ to, data })
      const { nonce, maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = before
      return wallet.sendTransaction({ to, data, nonce, maxFeePerGas, maxPriorityFeePerGas })
    })
    const session = await signedSession()
    backend.chain.setMining(false)
    await anchor.submit(await session.request(1), neverAborted)
    for (const size of [2, 2]) {
      vi.setSystemTime(Date.now() + 15_000)
      await expect(anchor.submit(await session.request(size), neverAborted)).rejects.toMatchObject({
        class: 'transient',
        message: expect.stringContaining('underpriced') as unknown,
      })
    }
    expect(stuck[1]).toBeDefined()
    expect(stuck).toEqual([undefined, stuck[1], stuck[1]])
  })

  it('as fees have risen is tried again with time', async () => {
    const wallet = await walletOf()
    const anchor = anchorBy(({ to, data }) =>
      wallet.sendTransaction({ to, data, gas: 500_000n, maxFeePerGas: 1n, maxPriorityFeePerGas: 0n }),
    )
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        class: 'transient',
        message: expect.stringContaining('base fee') as unknown,
      },
    )
  })

  it.each([
    // geth, erigon, Nethermind, ethers.
    'transaction underpriced: tip needed 1, tip permitted 0',
    'max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7',
    'txpool is full',
    'FeeTooLow, EffectivePriorityFeePerGas too low 1 < 2, BaseFee: 7',
    'replacement fee too low (transaction="0x", nonce=5, code=REPLACEMENT_UNDERPRICED, version=6.1.0)',
    // As its short message has it, which is all that is heard of ethers.
    'replacement fee too low',
    'FEE_TOO_LOW: fee too low',
    'INTERNAL_ERROR: existing tx with same hash',
    'could not replace existing tx',
  ])('is tried again with time: %s', async (words) => {
    const anchor = anchorBy(() => Promise.reject(new Error(words)))
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        code: 'anchor-unseen',
        class: 'transient',
      },
    )
  })
})

describe('an account', () => {
  it('without funds to replace another is told so', async () => {
    const wallet = await walletOf({ funds: '0' })
    const anchor = anchorBy(({ to, data }) => wallet.sendTransaction({ to, data, gas: 500_000n, nonce: 0 }))
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        code: 'anchor-rejected',
        message: expect.stringMatching(/balance|funds/) as unknown,
      },
    )
  })

  it('without funds is told in its words', async () => {
    const anchor = anchorBy(sendBy(await walletOf({ funds: '0' })))
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        code: 'anchor-rejected',
        message: expect.stringMatching(/balance|funds/) as unknown,
      },
    )
  })

  it('whose node is away waits, and its address is told to nobody', async () => {
    const rpcUrl = 'http://127.0.0.1:9/v2/a-secret-key-of-the-app'
    const anchor = anchorBy(sendBy(await walletOf({ rpcUrl })))
    const error = await anchor
      .submit(await (await signedSession()).request(1), neverAborted)
      .catch((thrown: unknown) => HoldfastError.from(thrown))
    expect(error).toMatchObject({ code: 'unreachable', class: 'transient' })
    expect(String(error)).not.toContain('secret')
  })

  it.each([
    // viem over WebSocket; ethers, whose codes are no part of its short messages.
    { name: 'SocketClosedError', shortMessage: 'The socket has been closed.' },
    { shortMessage: 'server response 503 Service Unavailable', code: 'SERVER_ERROR' },
    { shortMessage: 'request timeout', code: 'TIMEOUT' },
  ])('whose node fails waits: $shortMessage', async (kind) => {
    const anchor = anchorBy(() => Promise.reject(Object.assign(new Error('At length.'), kind)))
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        code: 'unreachable',
      },
    )
  })

  it.each(['Known transaction', 'already known', 'OldNonce', 'nonce has already been used'])(
    'whose node says “%s” looks again',
    async (shortMessage) => {
      const anchor = anchorBy(() => Promise.reject(Object.assign(new Error('At length.'), { shortMessage })))
      await expect(
        anchor.submit(await (await signedSession()).request(1), neverAborted),
      ).rejects.toMatchObject({ code: 'bad-answer' })
    },
  )

  it.each(['unknown account', 'insufficient funds for intrinsic transaction cost'])(
    'whose node says “%s” is told so',
    async (shortMessage) => {
      const anchor = anchorBy(() =>
        Promise.reject(Object.assign(new Error('At length.'), { name: 'UnknownRpcError', shortMessage })),
      )
      await expect(
        anchor.submit(await (await signedSession()).request(1), neverAborted),
      ).rejects.toMatchObject({ code: 'anchor-rejected' })
    },
  )

  it('that its owner refuses to use is told so', async () => {
    const anchor = anchorBy(async () => {
      throw Object.assign(new Error('User rejected the request.'), { name: 'UserRejectedRequestError' })
    })
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        code: 'anchor-rejected',
        message: 'The account: User rejected the request.',
      },
    )
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'no'],
    ['a number', 7],
    [
      'its own cause',
      (() => {
        const e: Error = new Error('round')
        return Object.assign(e, { cause: e })
      })(),
    ],
  ])('that fails with %s is told all the same', async (_, thrown) => {
    const anchor = anchorBy(() => Promise.reject(thrown as Error))
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        code: 'anchor-rejected',
      },
    )
  })

  it('that throws before it gives a promise is told all the same', async () => {
    const anchor = anchorBy(() => {
      throw new RangeError('No key is left.')
    })
    await expect(anchor.submit(await (await signedSession()).request(1), neverAborted)).rejects.toMatchObject(
      {
        code: 'anchor-rejected',
        message: 'The account: No key is left.',
      },
    )
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no hash', 7],
    ['an object', { hash: HASH }],
  ])('that gives %s has sent it all the same', async (_, given) => {
    const calls: AnchorCall[] = []
    const anchor = anchorBy(async (call) => {
      calls.push(call)
      return given
    })
    const request = await (await signedSession()).request(1)
    await anchor.submit(request, neverAborted)
    vi.setSystemTime(Date.now() + 15_000)
    await anchor.submit(request, neverAborted)
    expect(calls.map(({ stuck }) => stuck)).toEqual([undefined, undefined])
  })

  it('that never answers holds up its own call alone, until that is ended', async () => {
    const given: Hex[] = []
    const over = new AbortController()
    const anchor = anchorBy(({ data }) => {
      given.push(data)
      return given.length === 1 ? new Promise(() => {}) : Promise.resolve(HASH)
    })
    const [one, two] = [await (await signedSession()).request(1), await (await signedSession()).request(1)]
    const first = anchor.submit(one, over.signal)
    const second = anchor.submit(two, neverAborted)
    await expect.poll(() => given.length).toBe(1)
    over.abort()
    await expect(first).rejects.toMatchObject({ code: 'aborted' })
    await second
    expect(given).toHaveLength(2)
  })
})
