import { decodeSession, encodeSessionsCall, type RegistrySession } from '../evidence/registry.ts'
import type { SessionName } from '../protocol/ids.ts'
import type { Limits } from './request.ts'
import { badAnswer, fieldsOf, numberOf, quantity, resultOf, type Chain } from './rpc.ts'

/** The number of the newest block. */
export const newestBlock = async (chain: Chain, limits: Limits): Promise<number> =>
  numberOf(chain, await resultOf(chain, 'eth_blockNumber', [], limits), 'the newest block')

/** What a node says that decodes to nothing is `chain-answer`. */
export function decoded<Value>(chain: Chain, decode: () => Value): Value {
  try {
    return decode()
  } catch (cause) {
    throw badAnswer(chain, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

/**
 * What the registry holds of a session at a block; undefined where nobody has brought a head of it.
 *
 * @throws VerificationError with `chain-unreachable` or `chain-answer`
 */
export async function readRegistered(
  chain: Chain,
  name: SessionName,
  block: number | 'latest',
  limits: Limits,
): Promise<RegistrySession | undefined> {
  const call = { to: chain.registry, data: encodeSessionsCall(name) }
  const answer = await resultOf(
    chain,
    'eth_call',
    [call, block === 'latest' ? block : quantity(block)],
    limits,
  )
  const session = decoded(chain, () => decodeSession(String(answer)))
  if (
    session &&
    (session.firstBlock < 1 ||
      session.firstBlock > session.blockNumber ||
      (block !== 'latest' && session.blockNumber > block))
  )
    throw badAnswer(chain, `the blocks of ${name} should be up to ${block}`)
  return session
}

/**
 * The time of a block: ms since the epoch, in whole seconds.
 *
 * @throws VerificationError with `chain-unreachable` or `chain-answer`
 */
export async function timeOfBlock(chain: Chain, number: number, limits: Limits): Promise<number> {
  const block = await resultOf(chain, 'eth_getBlockByNumber', [quantity(number), false], limits)
  const fields = fieldsOf(chain, block, 'a block')
  if (numberOf(chain, fields['number'], 'the number of a block') !== number)
    throw badAnswer(chain, `it should tell of block ${number}`)
  return 1_000 * numberOf(chain, fields['timestamp'], 'the time of a block')
}
