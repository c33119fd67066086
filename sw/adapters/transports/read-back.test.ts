import { afterEach, describe, expect, test, vi } from 'vitest'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { memoryStore, type Rude, type Step } from '../../../e2e/transports/memory-stores.ts'
import { objectOf } from '../../../e2e/transports/objects.ts'
import type { VariantName } from '../../../e2e/transports/variants.ts'

// Promise 2 of docs/guarantees.md: one answer that shows something else may be of something between us. A good copy is not
// given up for it; one that is not ours is replaced.

afterEach(() => void vi.unstubAllGlobals())

const SIZE_BYTES = 1_000
const PAGE = '<!doctype html><title>Sign in</title>'

/** An object, and a store of this kind; each attempt is another worker's. */
async function scene(variant: VariantName) {
  const store = memoryStore(variant)
  vi.stubGlobal('fetch', store.fetch)
  const { upload, bytes } = await objectOf('read back', SIZE_BYTES)
  const { record, attempt } = keptAttempts(upload, bytes)
  return {
    store,
    attempt: () => attempt(store.transport()),
    isStored: () => record.stored,
    copies: () => store.copies(upload.cid, SIZE_BYTES),
    discarded: () => store.seen.filter(({ step }) => step === 'discard').length,
  }
}

type Lie = (honest: Response) => Response

const shows =
  (body: string): Lie =>
  () =>
    new Response(body)

/** Instead of a digest that is told. */
const otherDigest: Lie = ({ status, headers }) => {
  const shown = new Headers(headers)
  if (shown.has('repr-digest')) shown.set('repr-digest', `sha-256=:${btoa('\0'.repeat(32))}:`)
  return new Response(null, { status, headers: shown })
}

/** Which question shows what the store has, and how it shows something else. */
const READ: readonly (readonly [VariantName, Step, title: string, Lie])[] = [
  ...(['tus-plain', 'put-mute', 'pinata-legacy', 'resumable-mute'] as const).flatMap((variant) => [
    [variant, 'read', 'a page', shows(PAGE)] as const,
    [variant, 'read', 'bytes of the same number', shows('x'.repeat(SIZE_BYTES))] as const,
  ]),
  ['resumable', 'ask', 'a digest', otherDigest],
]

/** No answer is seen to so many of the first copies; so many of the first answers that show what is there are lies. */
const scenario = (lost: number, lies: number, step: Step, lie: Lie): Rude => {
  const left = { lost, lies }
  return async (asked, honest) => {
    if (asked.step === 'send' && left.lost-- > 0) return honest().then(() => 'cut' as const)
    return asked.step === step && left.lies-- > 0 ? lie(await honest()) : undefined
  }
}

describe('a copy of which one answer shows something else', () => {
  test.each(READ)('%s, %s shows %s: is kept, and not sent again', async (variant, step, _, lie) => {
    const { store, attempt, isStored, copies, discarded } = await scene(variant)
    store.rude = scenario(1, 1, step, lie)
    for (let time = 0; time < 2; time += 1) await attempt()
    expect(isStored()).toBe(true)
    expect(copies()).toBe(1)
    expect(discarded()).toBe(0)
  })
})

/** Which question is answered once as if nothing were there. */
const ASKED: readonly (readonly [VariantName, Step])[] = [
  ['tus', 'ask'],
  ['tus-plain', 'ask'],
  ['tus-plain', 'read'],
  ['resumable', 'ask'],
  ['resumable-mute', 'read'],
  ['put', 'ask'],
  ['put-mute', 'read'],
  ['pinata-signed', 'ask'],
  ['pinata-legacy', 'read'],
]

describe('a copy of which one answer says that nothing is there', () => {
  test.each(ASKED.flatMap(([variant, step]) => [404, 410].map((status) => ({ variant, step, status }))))(
    '$variant, $step, $status: is kept, and not sent again',
    async ({ variant, step, status }) => {
      const { store, attempt, isStored, copies } = await scene(variant)
      store.rude = scenario(1, 1, step, () => new Response(null, { status }))
      for (let time = 0; time < 2; time += 1) await attempt()
      expect(isStored()).toBe(true)
      expect(copies()).toBe(1)
    },
  )
})

describe('a network’s sign-in page instead of an answer, before anything is sent', () => {
  test.each<[VariantName, Step]>([
    ['tus', 'options'],
    ['tus', 'create'],
    ['tus', 'ask'],
    ['resumable', 'create'],
    ['resumable', 'ask'],
  ])('%s, %s: is waited for, and parks nothing', async (variant, step) => {
    const { store, attempt, isStored, copies } = await scene(variant)
    let isThere = true
    const lost = scenario(step === 'ask' ? 1 : 0, 0, step, shows(PAGE))
    store.rude = (asked, honest) =>
      isThere && asked.step === step ? new Response(PAGE) : lost(asked, honest)
    for (let time = 0; time < 9; time += 1) expect(await attempt()).toMatchObject({ class: 'transient' })
    isThere = false
    await attempt()
    expect(isStored()).toBe(true)
    expect(copies()).toBe(1)
  })
})

describe('a copy that is not ours', () => {
  test.each(READ)('%s, %s shows %s: is replaced once', async (variant, step, _, lie) => {
    const { store, attempt, isStored, copies } = await scene(variant)
    // Of two files of one name Pinata does not say which is the later: there an answer that is lost costs a copy.
    const lost = variant === 'pinata-legacy' ? 1 : 2
    // A digest is told to who asks what is there, too.
    store.rude = scenario(lost, step === 'ask' ? 3 : 2, step, lie)
    for (let time = 0; time < 4 && !isStored(); time += 1) await attempt()
    expect(isStored()).toBe(true)
    expect(copies()).toBe(2)
  })
})
