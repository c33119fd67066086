import { verifyHead, type SignedHead } from '../evidence/head.ts'
import { endable } from '../protocol/endable.ts'
import { following } from '../protocol/following.ts'
import type { Cid, SessionName } from '../protocol/ids.ts'
import { earlySteps, pagesNamed, type OpeningStep } from './early-steps.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { fetchHead } from './fetch-head.ts'
import { reportOfBeyond } from './head-report.ts'
import type { FoundHead, HeadsBeyond } from './heads.ts'
import { latestOf } from './latest.ts'
import { branchesBeside, openLargest } from './largest-head.ts'
import { newestHeads } from './newest-head.ts'
import { historyOf } from './nodes.ts'
import { objectsOf, type Objects } from './objects.ts'
import { checkOptions, refuse, type OpenSessionOptions } from './options.ts'
import type { PagesRead } from './page-walk.ts'
import { pageReader, type PageReader } from './pages.ts'
import { readPages } from './read-pages.ts'
import type { ReadPage } from './read-page.ts'
import { sessionOf, type SessionSource, type VerifiedSession } from './verified-session.ts'

/**
 * Opens a recording trusting nobody: the registry's events lead to signed heads, the heads to the pages of the log, the
 * log to the chunks, and each is recomputed before it is believed. Which node tells the chain is the caller's choice:
 * its word are the blocks and their times. From a head alone, without a chain, all the rest is checked the same; but
 * nobody then says when it was made, nor that it is the newest, nor that its recorder has signed no other.
 *
 * Refuses where there is nothing to read at all: not registered, no signed head, no first page, another group's key.
 * Whatever else is wrong is told in the session. The chunks are judged as `chunks()` reaches them.
 *
 * @throws VerificationError; the signal's reason when the caller aborts
 */
export async function openSession(options: OpenSessionOptions): Promise<VerifiedSession> {
  const checked = checkOptions(options)
  return open(checked, options, options.signal).finally(() => checked.groupKey.fill(0))
}

/**
 * The same, as soon as the beginning is proved, and on as more is: at last all of it, as `openSession` gives it. Who is
 * slower than the reading gets the newest step, not each. What is proved in a step is proved by a head that the chain
 * took, with all heads before it; of what comes later only the last step knows. That counts: where a later head
 * contradicts, another node names a later block, or a page is lost, it may list less than a step before, or say a later
 * time. Where the beginning is not whole there is one step alone. Without a chain a step is proved by the one head, which
 * names its pages, and has no `heads`: whether that head is the one of all its pages only the last step knows, and where
 * it is not there is none, but `root` is thrown.
 *
 * Leaving the loop, or `return`, ends the reading of the log at once; a session that was given goes on to read its chunks.
 *
 * @throws VerificationError as `openSession` does, also after some steps; the signal's reason when the caller aborts
 */
export function openInSteps(options: OpenSessionOptions): AsyncGenerator<OpeningStep, void, undefined> {
  return endable((leaving) => stepsOf(options, leaving))
}

async function* stepsOf(
  options: OpenSessionOptions,
  leaving: AbortSignal,
): AsyncGenerator<OpeningStep, void, undefined> {
  const checked = checkOptions(options)
  const ending = following(options.signal, leaving)
  const steps = latestOf<OpeningStep>()
  // Whatever is under way: an app's own source, or code that is loaded, may heed no signal.
  leaving.addEventListener('abort', steps.end)
  void open(checked, options, ending.signal, steps.put)
    .then((session) => steps.put({ session, isLast: true, sizeOfAll: session.size }))
    .then(steps.end, steps.fail)
    .finally(() => checked.groupKey.fill(0))
  try {
    yield* steps.items()
  } catch (error) {
    // Who has left is told of nothing.
    if (!leaving.aborted) throw error
  } finally {
    ending.abort()
  }
}

async function open(
  { chains, head, name: asked, groupKey, sources, timeoutMs, profile }: ReturnType<typeof checkOptions>,
  { signal: readingSignal, onProgress, seen = [] }: OpenSessionOptions,
  signal: AbortSignal | undefined,
  onStep?: (step: OpeningStep) => void,
): Promise<VerifiedSession> {
  const objects = objectsOf(sources, readingSignal)
  const at = (step: VerificationStep, pages?: PagesRead) =>
    onProgress?.({ step, chunksVerified: 0, chunksTotal: 0, ...(pages && { pages }) })
  const sourceOf = (name: SessionName): SessionSource => ({
    name,
    objects,
    profile,
    groupKey,
    onProgress,
    signal,
  })

  const readerOf = (name: SessionName) => pageReader(objects, name, signal)
  const read = async (
    reader: PageReader,
    { name, found, vanished, nodes, beyond }: Beginning,
    onBeginning?: (page: ReadPage) => void,
  ) => {
    const { log, lostPages } = await readPages(reader, () => readerOf(name), found, at, onBeginning)
    return sessionOf(sourceOf(name), {
      log: beyond ? { ...log, heads: [...log.heads, reportOfBeyond(found.length, beyond)] } : log,
      lostPages,
      vanished,
      nodes,
    })
  }

  async function openGiven(
    given: Cid | SignedHead,
    smaller: readonly SignedHead[] = [],
  ): Promise<VerifiedSession> {
    const beginning = await readGiven(objects, given, asked, signal)
    const found = beginning.found[0]!
    const reader = readerOf(beginning.name)
    const early = onStep && earlySteps(reader, sourceOf(beginning.name), timeoutMs, onStep).byPages(found)
    // With the one before, from which the way to the first may be shorter.
    if (early) reader.askAhead(pagesNamed(found))
    const session = await read(reader, beginning, early?.onPage)
    await early?.ended()
    const branches = await branchesBeside(found.head, reader.pages, smaller)
    return branches.length > 0 ? { ...session, heads: [...session.heads, ...branches] } : session
  }

  at('reading the registry')
  if (head === 'newest') return openLargest(await newestHeads(sources, asked!, signal), openGiven)
  if (head) return openGiven(head)
  const name = asked!
  const reader = readerOf(name)
  const history = historyOf(chains, name, { timeoutMs, signal })
  const early = onStep && earlySteps(reader, sourceOf(name), timeoutMs, onStep)
  try {
    await early?.first(history)
    const { witnessed, ...rest } = await history.all(seen)
    const beginning = { name, found: signedIn(name, witnessed), ...rest }
    await early?.rising(beginning)
    return await read(reader, beginning)
  } finally {
    history.end()
  }
}

/** What leads into the log. */
interface Beginning extends Pick<VerifiedSession, 'name' | 'vanished' | 'nodes'> {
  readonly found: readonly FoundHead[]
  readonly beyond?: HeadsBeyond | undefined
}

function signedIn(name: SessionName, found: readonly FoundHead[]): readonly FoundHead[] {
  if (found.some(({ isSigned }) => isSigned)) return found
  const what = `The chain has ${found.length} heads of ${name}, none signed by the session's key`
  throw new VerificationError('head-signature', 'reading the registry', what)
}

async function readGiven(
  objects: Objects,
  given: Cid | SignedHead,
  name: SessionName | undefined,
  signal: AbortSignal | undefined,
): Promise<Beginning> {
  const head = typeof given === 'string' ? await fetchHead(objects, given, signal) : given
  if (name !== undefined && head.name !== name) refuse('head', `one of ${name}, found one of ${head.name}`)
  const isSigned = await verifyHead(head, head.publicKey, head.signature)
  if (!isSigned) {
    const what = `The head of ${head.name} is not signed by the session's key`
    throw new VerificationError('head-signature', 'checking the log', what)
  }
  const found = { head, blockNumber: undefined, timeMs: undefined, isSigned }
  return { name: head.name, found: [found], vanished: [], nodes: [] }
}
