import { createHash } from 'node:crypto'
import { decodeErrorResult, keccak256, type Hex } from 'viem'
import { encodeAnchorCall } from '../../src/evidence/anchor-call.ts'
import { groupsDigest, verifyHead } from '../../src/evidence/head.ts'
import { decodeSession, encodeSessionsCall } from '../../src/evidence/registry.ts'
import type { AnchorRequest, SignedHead } from '../../sw/ports/anchor.ts'
import { collect, drain, json, type Exchange, type Reply, type Service } from './exchange.ts'
import { registryAbi } from './registry-abi.ts'
import { FEES, relayAccount } from './chain-accounts.ts'
import type { RelayJournal, SignedAnchor } from './relay-journal.ts'
import { isIdempotencyKey, parseAnchorCall } from './relay-request.ts'
import { asHex, ChainUnreachable, RpcError, type Rpc } from './rpc.ts'
import { serial } from './serial.ts'
import { tokenBuckets, type TokenBucketOptions } from './token-bucket.ts'

export interface RelayOptions {
  readonly rpc: Rpc
  readonly chainId: number
  readonly registry: Hex
  readonly journal: RelayJournal
  /**
   * How much a client may ask for: each sign-in where they are asked for, else each address. Default 100 at once, then 20
   * a second: far above one head of a session in 5 s.
   */
  readonly limit?: TokenBucketOptions
  /** Whether an `Authorization` header is one of ours. Without it anybody may ask. */
  signIn?(authorization: string | undefined): boolean
}

/** The service, and what it does with nobody asking. */
export interface Relay {
  readonly service: Service
  /**
   * Brings whatever the chain has lost of all that this relay ever signed, such as in a reorganisation: nobody but the
   * chain need say so. Throws `RpcError` or `ChainUnreachable`.
   */
  look(): Promise<void>
}

const RETRY_AFTER_SEC = 2
const DEFAULT_LIMIT: TokenBucketOptions = { burst: 100, perSecond: 20 }
/** How nodes say that they have a transaction, or had it mined: anvil, Geth, Erigon, Nethermind, Besu. */
const IS_KNOWN = /already|known transaction|nonce too low|OldNonce/i
const GAS = 250_000n
/** For the first head of a session. */
const GAS_PER_GROUP = 80_000n

/**
 * Pays for heads, and does nothing else: it carries `anchor` calls for clients without an account. Its key means nothing
 * to the registry, so it can neither forge a head nor keep a session from another payer.
 *
 * One head is one transaction, whoever asks for it how often: it is on disk before it is broadcast, and broadcast again
 * whenever the chain no longer knows it, which `look` finds out by itself: a phone may never wake again. Only where it
 * was mined and the registry still has no such head is there another.
 */
export function openRelay(options: RelayOptions): Relay {
  const { rpc, chainId, registry, journal, signIn } = options
  const account = relayAccount()
  const inTurn = serial()
  const clients = tokenBuckets(options.limit ?? DEFAULT_LIMIT)

  const submit = async (exchange: Exchange, call: AnchorRequest): Promise<Reply> => {
    const { head } = call
    // In this order: whatever is mined by the first answer, the second knows.
    const mined = await nonceAt('latest')
    const size = await sizeOf(head)
    const known = journal.get(head)
    if (size >= head.size) return json(200, { transactionHash: known?.hash, size, chainId, registry })

    const last = journal.latestOf(head)
    const underWay = last && last.nonce >= mined && last.call.head.size >= head.size
    const anchor = underWay ? last : await sign(exchange, call, known !== undefined)
    if ('error' in anchor) return json(422, anchor)
    await broadcast(anchor.nonce)
    return json(200, { transactionHash: anchor.hash, chainId, registry })
  }

  const nonceAt = async (block: 'latest' | 'pending') =>
    Number(await rpc('eth_getTransactionCount', [account.address, block]))

  /** Of the newest block: what waits in the pool, whoever sent it, may never come. */
  const sizeOf = async ({ name }: SignedHead): Promise<number> => {
    const call = { to: registry, data: encodeSessionsCall(name) }
    return decodeSession(asHex(await rpc('eth_call', [call, 'latest'])))?.size ?? 0
  }

  const sign = async (
    exchange: Exchange,
    call: AnchorRequest,
    duplicate: boolean,
  ): Promise<SignedAnchor | { error: string }> => {
    // Earlier transactions first: what is simulated now comes after them.
    await broadcastAll()
    // With its groups each time: after a reorganisation any head may be the session's first.
    const data = asHex(encodeAnchorCall(call.head, call.groups))
    const refusal = await simulate(rpc, { from: account.address, to: registry, data })
    if (refusal !== undefined) return { error: refusal }

    const nonce = Math.max(await nonceAt('pending'), lastNonce() + 1)
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce,
      to: registry,
      data,
      gas: GAS + GAS_PER_GROUP * BigInt(call.groups.length),
      ...FEES,
    })
    const anchor: SignedAnchor = { call, nonce, raw, hash: keccak256(raw) }
    await journal.add(anchor)
    exchange.record.update({ changed: true, duplicate })
    return anchor
  }

  const lastNonce = () => journal.all().at(-1)?.nonce ?? -1
  const broadcastAll = () => broadcast(lastNonce())

  /** Bring every signed transaction up to this nonce to the chain, lowest first: a gap would hold up the rest. */
  const broadcast = async (upTo: number): Promise<void> => {
    const mined = await nonceAt('latest')
    for (const { nonce, raw, hash } of journal.all()) {
      if (nonce < mined || nonce > upTo) continue
      if ((await rpc('eth_getTransactionByHash', [hash])) !== null) continue
      try {
        await rpc('eth_sendRawTransaction', [raw])
      } catch (error) {
        // Mined, or accepted, between our question and our answer to it: that is what we wanted.
        if (!(error instanceof RpcError && IS_KNOWN.test(error.message))) throw error
      }
    }
  }

  const post = async (exchange: Exchange): Promise<Reply> => {
    const { authorization } = exchange.headers
    const body = (await collect(exchange.body)).toString('utf8')
    if (signIn?.(authorization) === false) {
      return json(401, { error: 'Sign in' }, { 'www-authenticate': 'Bearer' })
    }
    const waitMs = clients.take((signIn && authorization) ?? exchange.client)
    if (waitMs > 0) {
      return json(429, { error: 'Too many requests' }, { 'retry-after': String(Math.ceil(waitMs / 1000)) })
    }
    const parsed = parseAnchorCall(body)
    if ('error' in parsed) return json(400, parsed)
    const reason = await flawOf(parsed.call)
    if (reason !== undefined) return json(422, { error: reason })
    try {
      return await inTurn(() => submit(exchange, parsed.call))
    } catch (error) {
      // Such as an account without funds.
      if (error instanceof RpcError) return json(502, { error: error.message })
      if (!(error instanceof ChainUnreachable)) throw error
      return json(503, { error: 'The chain does not answer' }, { 'retry-after': String(RETRY_AFTER_SEC) })
    }
  }

  const service: Service = {
    name: 'relay',
    async prepare(exchange) {
      const key = exchange.headers['idempotency-key']
      if (isIdempotencyKey(key)) exchange.record.update({ key })
      return exchange
    },
    async handle(exchange) {
      if (exchange.method === 'POST') return post(exchange)
      await drain(exchange.body)
      if (exchange.method === 'GET') return json(200, { address: account.address, chainId, registry })
      return json(405, { error: 'GET or POST' }, { allow: 'GET, POST' })
    },
    async lie(exchange) {
      const body = await collect(exchange.body)
      const transactionHash = `0x${createHash('sha256').update(body).digest('hex')}`
      return json(200, { transactionHash })
    },
  }
  return { service, look: () => inTurn(broadcastAll) }
}

/** Why the head is not to be paid for, by the name of the registry's error; undefined where it holds. */
async function flawOf({ head, groups }: AnchorRequest): Promise<string | undefined> {
  if ((await groupsDigest(groups)) !== head.groups) return 'GroupsDiffer'
  return (await verifyHead(head, head.publicKey, head.signature)) ? undefined : 'BadSignature'
}

/** Why the registry would refuse the call: the name of its error. Undefined if it would not. */
async function simulate(rpc: Rpc, call: { from: Hex; to: Hex; data: Hex }): Promise<string | undefined> {
  try {
    await rpc('eth_call', [call, 'pending'])
    return undefined
  } catch (error) {
    if (!(error instanceof RpcError) || error.data === undefined) throw error
    return decodeErrorResult({ abi: registryAbi, data: asHex(error.data) }).errorName
  }
}
