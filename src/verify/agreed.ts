import { following } from '../protocol/following.ts'
import { VerificationError } from './error.ts'
import { followersOf } from './followers.ts'
import { newestBlock } from './registered.ts'
import type { Limits } from './request.ts'
import { badAnswer, type Chain } from './rpc.ts'

/** Once enough nodes have answered, the others get so long, ms. */
const GRACE_MS = 2_000

/** A node that is further behind another one, in blocks, is not asked beside it: by an old block it could hide all that is new. */
const MAX_BLOCKS_BEHIND = 1_000

/** What a node said, or why it could not be asked. */
type Told<Value> = { readonly chain: Chain; readonly value: Value } | { readonly error: unknown }

/**
 * What enough nodes say alike of one block: the newest that this many of them have, unless one is given. One that hangs,
 * fails, is far behind or says otherwise holds up nobody while enough others agree.
 *
 * @param agree from 1 to their number
 * @param ask gives plain data, which is compared
 * @throws VerificationError of a node that was heard, where too few can be read; `chain-answer` where they contradict
 *   each other
 */
export async function agreed<Value>(
  chains: readonly Chain[],
  agree: number,
  block: number | undefined,
  limits: Limits,
  ask: (chain: Chain, block: number, limits: Limits) => Promise<Value>,
): Promise<Value> {
  const errors: unknown[] = []
  const heard = (told: readonly Told<unknown>[]) =>
    errors.push(...told.flatMap((one) => ('error' in one ? [one.error] : [])))
  const tops =
    block === undefined
      ? await told(chains, limits, newestBlock, (soFar) => soFar.length >= agree)
      : chains.map((chain) => ({ chain, value: block }))
  heard(tops)
  const read = tops.filter((one) => 'value' in one).sort((a, b) => b.value - a.value)
  // The newest that has enough others near it: one that makes a height up, far ahead of all, stops nobody either.
  const top = read.find(({ value }, at) => {
    const last = read[at + agree - 1]
    return last !== undefined && last.value >= value - MAX_BLOCKS_BEHIND
  })
  const newest = (top ?? read[0])?.value ?? 0
  const isNear = ({ value }: { readonly value: number }) =>
    value <= newest && value >= newest - MAX_BLOCKS_BEHIND
  const near = read.filter(isNear)
  for (const { chain, value } of read)
    if (!isNear({ value }))
      errors.push(badAnswer(chain, `its newest block is ${value}, and another's is ${newest}`))
  for (const [at, { value }] of near.entries()) {
    if (at < agree - 1 || (at >= agree && value === near[at - 1]!.value)) continue
    const able = near.filter((one) => one.value >= value).map(({ chain }) => chain)
    const answers = await told(
      able,
      limits,
      (chain, until) => ask(chain, value, until),
      (soFar) => soFar.some((answer) => alike(soFar, answer) >= agree),
      0,
    )
    heard(answers)
    const said = answers.flatMap((one) => ('value' in one ? [one.value] : []))
    const found = said.find((answer) => alike(said, answer) >= agree)
    if (found !== undefined) return found
    if (said.length > 1) errors.push(badAnswer(able[0]!, `another node says otherwise of block ${value}`))
  }
  throw worst(errors)
}

const alike = (answers: readonly unknown[], answer: unknown) =>
  answers.filter((other) => JSON.stringify(other) === JSON.stringify(answer)).length

function worst(errors: readonly unknown[]): unknown {
  const isSaid = (error: unknown) => error instanceof VerificationError && error.class !== 'transient'
  return errors.find((error) => !(error instanceof VerificationError)) ?? errors.find(isSaid) ?? errors[0]
}

/** What each node says, until it is enough and the others had their time; then these are given up. */
async function told<Value>(
  chains: readonly Chain[],
  limits: Limits,
  ask: (chain: Chain, limits: Limits) => Promise<Value>,
  isEnough: (soFar: readonly Value[]) => boolean,
  graceMs = GRACE_MS,
): Promise<Told<Value>[]> {
  const ending = following(limits.signal)
  const follow = followersOf(ending.signal)
  const all: Told<Value>[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await new Promise<void>((resolve) => {
      for (const chain of chains)
        void ask(chain, { ...limits, signal: follow().signal })
          .then(
            (value) => all.push({ chain, value }),
            (error: unknown) => all.push({ error }),
          )
          .then(() => {
            const values = all.flatMap((one) => ('value' in one ? [one.value] : []))
            if (all.length === chains.length) resolve()
            else if (timer === undefined && isEnough(values)) timer = setTimeout(resolve, graceMs)
          })
    })
    limits.signal?.throwIfAborted()
    return [...all]
  } finally {
    clearTimeout(timer)
    ending.abort()
  }
}
