import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { decodeErrorResult, encodeFunctionData, keccak256, type Hex } from 'viem'
import { collect, drain, json, type Exchange, type Reply, type Service } from './exchange.ts'
import { registryAbi } from './registry-abi.ts'
import { FEES, relayAccount } from './relay-account.ts'
import type { RelayJournal, SignedAnchor } from './relay-journal.ts'
import { isIdempotencyKey, parseAnchorCall, type AnchorCall } from './relay-request.ts'
import { asHex, ChainUnreachable, RpcError, type Rpc } from './rpc.ts'
import { serial } from './serial.ts'

export interface RelayOptions {
  readonly rpc: Rpc
  readonly chainId: number
  readonly registry: Hex
  readonly journal: RelayJournal
  /** The recording status in a manifest; undefined if that cannot be read. */
  recordingStatus(manifestCid: string): Promise<string | undefined>
}

const RETRY_AFTER_SEC = 2

/**
 * Pays for anchors: signs the registry's `updateSession` for clients without an account.
 *
 * One idempotency key is one transaction, for ever: it is on disk before it is broadcast, and broadcast again
 * whenever the chain no longer knows it.
 */
export function relayService(options: RelayOptions): Service {
  const { rpc, chainId, registry, journal } = options
  const account = relayAccount()
  const inTurn = serial()

  const submit = async (exchange: Exchange, key: string, call: AnchorCall): Promise<Reply> => {
    const known = journal.get(key)
    if (known !== undefined && !isDeepStrictEqual(known.call, call)) {
      return json(422, { error: 'This Idempotency-Key was used for another call' })
    }
    const anchor = known ?? (await sign(exchange, key, call))
    if ('error' in anchor) return json(422, anchor)
    await broadcast(anchor.nonce)
    return json(200, { transactionHash: anchor.hash })
  }

  const sign = async (
    exchange: Exchange,
    key: string,
    call: AnchorCall,
  ): Promise<SignedAnchor | { error: string }> => {
    // Earlier transactions first: what is simulated now comes after them.
    const last = journal.all().at(-1)
    if (last !== undefined) await broadcast(last.nonce)
    const data = callData(call)
    const refusal = await simulate(rpc, { from: account.address, to: registry, data })
    if (refusal !== undefined) return { error: refusal }

    const used = Number(await rpc('eth_getTransactionCount', [account.address, 'pending']))
    const nonce = Math.max(used, (last?.nonce ?? -1) + 1)
    const gas = 600_000n + 60_000n * BigInt(call.groupIds.length)
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce,
      to: registry,
      data,
      gas,
      ...FEES,
    })
    const recordingStatus = await options.recordingStatus(call.manifestCid)
    const anchor: SignedAnchor = { key, call, recordingStatus, nonce, raw, hash: keccak256(raw) }
    const duplicate = journal.all().some((other) => saysTheSame(other, anchor))
    await journal.add(anchor)
    exchange.record.update({ changed: true, duplicate })
    return anchor
  }

  /** Bring every signed transaction up to this nonce to the chain, lowest first: a gap would hold up the rest. */
  const broadcast = async (upTo: number): Promise<void> => {
    const mined = Number(await rpc('eth_getTransactionCount', [account.address, 'latest']))
    for (const { nonce, raw, hash } of journal.all()) {
      if (nonce < mined || nonce > upTo) continue
      if ((await rpc('eth_getTransactionByHash', [hash])) !== null) continue
      try {
        await rpc('eth_sendRawTransaction', [raw])
      } catch (error) {
        // Mined, or accepted, between our question and our answer to it: that is what we wanted.
        if (!(error instanceof RpcError && /already imported|nonce too low/.test(error.message))) throw error
      }
    }
  }

  const post = async (exchange: Exchange): Promise<Reply> => {
    const key = exchange.headers['idempotency-key']
    const body = (await collect(exchange.body)).toString('utf8')
    if (!isIdempotencyKey(key)) {
      return json(400, {
        error: 'Idempotency-Key must be 1 to 255 visible characters',
        field: 'Idempotency-Key',
      })
    }
    const parsed = parseAnchorCall(body)
    if ('error' in parsed) return json(400, parsed)
    try {
      return await inTurn(() => submit(exchange, key, parsed.call))
    } catch (error) {
      if (!(error instanceof ChainUnreachable)) throw error
      return json(503, { error: 'The chain does not answer' }, { 'retry-after': String(RETRY_AFTER_SEC) })
    }
  }

  return {
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

/** A session may be anchored twice under one root only if its recording status has changed in between. */
function saysTheSame(one: SignedAnchor, other: SignedAnchor): boolean {
  return (
    one.call.sessionId === other.call.sessionId &&
    one.call.merkleRoot === other.call.merkleRoot &&
    one.recordingStatus === other.recordingStatus
  )
}

function callData({ sessionId, merkleRoot, manifestCid, chunkCount, groupIds }: AnchorCall): Hex {
  return encodeFunctionData({
    abi: registryAbi,
    functionName: 'updateSession',
    args: [sessionIdBytes(sessionId), `0x${merkleRoot}`, manifestCid, BigInt(chunkCount), groupIds],
  })
}

/** A session id on chain: the UUID's 16 bytes, then 16 zero bytes. */
const sessionIdBytes = (sessionId: string): Hex => `0x${sessionId.replaceAll('-', '').padEnd(64, '0')}`
