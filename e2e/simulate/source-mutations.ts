import type { Happening } from './history.ts'
import {
  BUSY,
  BUSY_AHEAD,
  CHAIN_HANGS,
  FORGETFUL,
  LOCK_KEPT,
  MANY_POWER_LOSSES,
  MOVED,
  MUCH_ROT,
  SEALER_HANGS,
  STORE_HANGS,
  THIEVES,
  TWO_DRAINS,
} from './mutation-worlds.ts'

/** A fault planted in the engine's own text, switched on by name while a test runs. */
export interface SourceMutation {
  readonly name: string
  /** What the oracle says of it. */
  readonly breaks: RegExp
  readonly edits: readonly Edit[]
  /** Where it would be rare: what happens in each history besides. */
  readonly besides?: readonly Happening[]
}

/** One place of one file: the text must be there exactly once, or nothing is planted and the test says so. */
export interface Edit {
  readonly file: string
  /** An expression takes an expression's place; `if (…) …` takes a statement's. */
  readonly from: string
  readonly to: string
}

const plant = (
  name: string,
  breaks: RegExp,
  ...edits: readonly (readonly [string, string, string])[]
): SourceMutation => ({
  name,
  breaks,
  edits: edits.map(([file, from, to]) => ({ file: `sw/${file}.ts`, from, to })),
})

const UNFINISHED = /is not at its end/

/** Ways to break a promise from inside. */
export const SOURCE_MUTATIONS: readonly SourceMutation[] = [
  // What moves bytes and pages; `pin/ls` is shown to the adapter itself in mutations.test.ts.
  {
    ...plant(
      'takes a late event for one that counts',
      /not in flight|did not end within its budget|other bytes were sent/,
      ['engine/commit', 'if (!after) return undefined', 'if (!after) return before'],
    ),
    besides: TWO_DRAINS,
  },
  plant(
    'parks what a failing store has failed, and all that only has to wait',
    /is parked for a failing disk|is not at its end/,
    ['core/retry-policy', 'failures > tries', "failures > tries || classOf(code) === 'transient'"],
  ),
  plant('sends before the intent is stored', /though it is not in flight|sent again without asking/, [
    'engine/deliver',
    "!(await delivery.record({ type: 'send-began' }))",
    'false',
  ]),
  {
    ...plant('leaves the intent to send to chance', /though it is not in flight|sent again without asking/, [
      'engine/change',
      "type === 'stored'",
      "type === 'stored' || type === 'send-began'",
    ]),
    besides: MANY_POWER_LOSSES,
  },
  {
    ...plant('seals or sends bytes that rotted', /other bytes were sent|sealed from bytes that rotted/, [
      'engine/payload',
      '(await sha256Hex(bytes)) === sha256',
      'true',
    ]),
    besides: MUCH_ROT,
  },
  {
    ...plant('waits for ever for a lock that somebody keeps', /nobody is told|is not at its end/, [
      'engine/drain',
      'if (drained) return alone',
      'if (alone) return alone',
    ]),
    besides: LOCK_KEPT,
  },
  {
    ...plant('waits for ever for a sealer that hangs', /nobody is told|is not at its end/, [
      'engine/transfer',
      'SEAL_LIMIT_MS + chunk.sizeBytes / SLOWEST_SEALED_PER_MS',
      '1e12',
    ]),
    besides: SEALER_HANGS,
  },
  {
    ...plant('tells nobody of a store that is silent', /nobody is told/, [
      'engine/silence',
      'clock.ticks() - heardAtMs >= SILENCE_MS',
      'false',
    ]),
    besides: STORE_HANGS,
  },
  {
    ...plant('waits for ever for a chain that is silent', /nobody is told|is not at its end/, [
      'engine/with-timeout',
      'sizeBytes > 0 ? WORK_LIMIT_MS + sizeBytes / SLOWEST_BYTES_PER_MS : SILENCE_MS',
      '1e12',
    ]),
    besides: CHAIN_HANGS,
  },
  plant('drains without a lock', /sent again without asking|without reading the chain/, [
    'engine/drain',
    'lock.run(DRAIN_LOCK, drainOnce)',
    'drainOnce()',
  ]),

  // What is written into the log.
  plant('does not write a chunk down that it sealed', /has the place undefined/, [
    'core/change-chunk',
    'inLog(draft, next)',
    'next',
  ]),
  plant('does not write the end down', /whether it has ended|has no such end|entries of|does not list it/, [
    'core/draft',
    'draft.append(how)',
    'undefined',
  ]),
  plant(
    'writes the end before the chunks that are to be sealed',
    /follows its complete end|is not at its end/,
    ['core/draft', "raw > 0 ? 'interrupted' : endingOf(draft.session)", 'ending'],
    ['core/draft', 'raw > parkedRaw', 'false'],
  ),
  plant('interrupts a recording that is whole', /was whole, and is/, [
    'core/session-machine',
    "knowsAll || session.ending === 'complete'",
    'knowsAll',
  ]),
  plant('leaves a chunk behind that was proved after it was listed', /and its entry is anchoring/, [
    'core/session',
    'at < listed.tree.size',
    'false',
  ]),

  // What is published of it.
  plant(
    'builds its page again with other entries',
    /other bytes were sent/,
    ['engine/listing', 'page !== sha256', 'false'],
    ['engine/listing', 'frame.from + there.length < to', 'false'],
    [
      'engine/listing',
      'pageOf(context, session, frame, tree.size)',
      'pageOf(context, session, frame, Infinity)',
    ],
  ),
  {
    ...plant(
      'takes any event for one of the page in flight',
      /is not at its end|the tally of|does not begin where|lists entries|custody log|not in flight|is none|did not end within|log on the disk|not on the disk|in no page/,
      [
        'core/session-machine',
        'if (isInFlight(session, event.of)) stepListing(draft, event)',
        'stepListing(draft, event)',
      ],
      ['core/session-machine', 'if (isInFlight(session, event.of)) list(draft, event)', 'list(draft, event)'],
    ),
    besides: TWO_DRAINS,
  },
  {
    ...plant(
      'begins a page while one is in flight',
      /does not begin where|not in flight|before its page was written down|without asking|lists entries|did not end within|the tally of/,
      ['core/session-machine', 'session.listing || !isDue', 'false'],
    ),
    besides: TWO_DRAINS,
  },
  plant('publishes pages without what came before them', /is not of the log on the disk/, [
    'engine/listing',
    'tree.frontier',
    '[]',
  ]),
  plant('publishes pages that do not know each other', /is none|is not at its end/, [
    'engine/listing',
    'withPage(pages, sha256)',
    'session.listed.pages',
  ]),
  plant('leaves an entry out of a full page, and has the next one twice', /is not of the log on the disk/, [
    'engine/listing',
    'tx.entries(id, frame.from, to)',
    'tx.entries(id, frame.from, to).then((all) => all.map((entry, at) => (at === 1 && all[3]) || entry))',
  ]),
  plant('has full pages follow on the small ones that they are for', /is none|is not at its end/, [
    'engine/listing',
    'pageBefore(session.listed, tree.size, frame.from)',
    '({ ...pageBefore(session.listed, tree.size, frame.from), pages: session.listed.pages })',
  ]),
  plant('never publishes the end of a recording', /is not at its end|nobody is told/, [
    'core/listing',
    'size > Math.max(listed.tree.size, 1) && !isEmpty(session)',
    'session.tally.uploaded > 0',
  ]),

  plant('takes a note that it has once more', /is in its log 2 times/, [
    'core/session-machine',
    'event.index < session.notes',
    'event.index < 0',
  ]),
  plant('says that a note is taken which is not', /a note of \w+ was acknowledged, but is not on the disk/, [
    'core/session-machine',
    'draft.append(event)',
    'draft.set({})',
  ]),

  // What is signed.
  plant('signs before the page is written down', /before its page was written down/, [
    'engine/listing',
    'bytes.length',
    '(await signedHead(context, session, { frame, tree: after, page }), bytes.length)',
  ]),
  plant('signs before the page is stored', /before its page was stored/, [
    'engine/listing',
    'if (!(await deliverFor(context, session, object, delivery, signal))) return',
    'await signedHead(context, session, listing); if (!(await deliverFor(context, session, object, delivery, signal))) return',
  ]),
  plant('signs before a full page is stored', /before its page was stored/, [
    'engine/listing',
    '{ cid: pageCid(sha256), sha256, sizeBytes }',
    '(frame.from < session.listed.tree.size && session.listed.tree.size < tree.size && (await signedHead(context, session, listing)), { cid: pageCid(sha256), sha256, sizeBytes })',
  ]),
  plant('does not sign that the recording has ended', /does not say whether it has ended|is not at its end/, [
    'engine/listing',
    "session.logEnd === 'complete' && size === session.size",
    'false',
  ]),
  plant('signs no page before its own', /names another page before its own/, [
    'engine/listing',
    'newestOf(listed.pages) ?? null',
    'null',
  ]),
  plant('signs other groups than those of its beginning', /is not at its end|its signature does not hold/, [
    'engine/listing',
    'await groupsDigest(access)',
    'await groupsDigest([])',
  ]),
  plant('keeps the key that has nothing left to sign', /keeps a key/, [
    'core/session-machine',
    'if (head.end) forgetKey(draft)',
    '',
  ]),

  // What is handed over, and what is made of what the chain holds.
  plant('hands a head over again though the newest block shows it', /though the newest block shows it/, [
    'engine/witness',
    'shown !== newest.size && dueMs <= clock.now()',
    'dueMs <= nowMs',
  ]),
  plant('hands over each head as soon as it is signed', /sooner than the app allows/, [
    'core/witnessing',
    'Math.max(submittedAtMs + everyMs, taken > 0 ? againMs : 0)',
    '0',
  ]),
  plant('never hands over again what a relay has lost', /is not at its end|nobody is told/, [
    'core/witnessing',
    'submittedAtMs + resubmitDelayMs(taken)',
    'Infinity',
  ]),
  {
    ...plant('believes a relay that takes and never mines', /nobody is told/, [
      'engine/witness',
      'inVain >= TAKEN_TO_TELL',
      'false',
    ]),
    besides: [{ atMs: 0, what: { kind: 'relays-sit', forMs: 2_000_000 } }],
  },
  {
    ...plant("takes anybody's head for its own", /was confirmed|is settled, and the chain/, [
      'engine/witness',
      'seen.root === ours?.root && seen.page === ours.page && seen.end === ours.end',
      'true',
    ]),
    besides: THIEVES,
  },
  plant(
    'concludes by the newest block alone',
    /before any head was deep enough|does not list it|is settled, and the chain/,
    [
      'engine/witness',
      'await asRead(() => anchor.read(name, signal))',
      'await asRead(() => anchor.read(name, signal)).then((seen) => ({ ...seen, deep: seen.latest }))',
    ],
  ),
  {
    ...plant('concludes by the deep block alone', /though the newest block does not show/, [
      'engine/witness',
      '[latest, deep]',
      '[deep]',
    ]),
    besides: THIEVES,
  },
  {
    ...plant('lets go of a chunk whose proof is old', /is not at the store|was never sent/, [
      'core/session-machine',
      "isFresh ? 'anchor-confirmed' : 'proof-expired'",
      "'anchor-confirmed'",
    ]),
    besides: FORGETFUL,
  },
  {
    ...plant('does not ask for a page again whose proof is old', /the page .* is not at the store/, [
      'core/expired-pages',
      '!isRecent(head.provedAtMs, now) && !isAsked(head) && isRelied(head)',
      'false',
    ]),
    besides: FORGETFUL,
  },
  {
    ...plant('lets go of a chunk while its page is asked for', /the page .* is not at the store/, [
      'core/session-machine',
      'isFresh && (chunk.position ?? 0) < relied',
      'false',
    ]),
    besides: FORGETFUL,
  },
  plant('lets go of chunks that come after the head', /does not list it|is in no page|is not at its end/, [
    'core/session-machine',
    '{ from: 0, to: event.anchored.size }',
    '{ from: 0, to: session.size }',
  ]),
  plant(
    'takes a recording for settled without its end on the chain',
    /does not hold its whole log|not anchored as it ended|ended as idle/,
    ['core/session', 'isEmpty(session) || (isSaid && anchored?.size === size && !expired)', 'true'],
  ),
  plant('forgets what it anchored', /is not at its end/, [
    'core/session-machine',
    'draft.set({ anchored })',
    'undefined',
  ]),

  // What goes on by itself, and is told.
  plant('never tries again what was refused', UNFINISHED, [
    'core/plan',
    "mayLeave === 'all' || isSmall || parkedRaw > 0",
    'false',
  ]),
  plant('never tries a page or a head again that was refused', UNFINISHED, [
    'core/try-again',
    "mayLeave !== 'nothing' && trySteps(draft, isStuck, true)",
    'false',
  ]),
  plant('believes any time that it stored', UNFINISHED, [
    'core/retry-policy',
    '!(atMs! <= nowMs + CAP_MS)',
    'false',
  ]),
  {
    ...plant(
      'believes what a server asked for under a clock that was ahead',
      /nobody is told|is not at its end/,
      ['core/circuit', 'isAhead(circuit.failedAtMs, nowMs)', 'false'],
    ),
    besides: BUSY_AHEAD,
  },
  plant('waits ever longer', /is not at its end|nobody is told/, [
    'core/retry-policy',
    'Math.min(capMs, baseMs * 2 ** (failures - 1))',
    '(baseMs > BASE_MS ? Math.min(capMs, baseMs * 2 ** (failures - 1)) : BASE_MS * 100 ** Math.min(failures + 1, 20))',
  ]),
  plant('does not notice the death of a recorder', UNFINISHED, [
    'engine/watch-recorder',
    "ending !== 'recording' || watched.has(id)",
    'true',
  ]),
  plant('lets go of what no head at the store lists yet', /before its head was proved|no such end/, [
    'engine/publish-head',
    '!(await deliverFor(context, session, object, delivery, signal))',
    'false',
  ]),
  plant('writes down that the app knows before it was told', /the app never heard of it/, [
    'engine/tell-settled',
    'onSettled?.({ key: `${name}/${size}`, session: sessionView(session, progress), signal })',
    'undefined',
  ]),
  plant('forgets to tell what has settled', /the app never heard of it|is not at its end|open mark/, [
    'core/session',
    'completion.told !== size',
    'false',
  ]),
  plant('tells the app before it is so', /was told, and is not settled/, [
    'core/plan',
    'isSettled(session) && isToTell(session)',
    'isToTell(session)',
  ]),
  plant('loses the mark of what is open', /is not at its end|ended as idle/, [
    'core/session',
    'isOpen(session) ? session.startedAtMs : undefined',
    'undefined',
  ]),
  plant('tells nobody of a failure', /nobody is told|does not say why|is not at its end/, [
    'core/trouble',
    'isReportable(failure)',
    'false',
  ]),
  {
    ...plant('does not tell why a server is left alone', /nobody is told/, [
      'core/finding',
      'paused || trouble || (!isAsked && !isStanding)',
      'true',
    ]),
    besides: BUSY,
  },
  {
    ...plant('goes on elsewhere with any session', /was never bound there/, [
      'core/identity',
      'identity !== undefined && identity !== here',
      'false',
    ]),
    besides: MOVED,
  },
  plant('deletes what nobody gave up', /was deleted, and is not on the chain/, [
    'engine/sessions',
    'session.open !== undefined && confirm !== DISCARD_CONFIRMATION',
    'false',
  ]),

  plant('looks again and again', /and nothing changes/, [
    'engine/drain',
    'Math.max(waitMs, SHORTEST_WAIT_MS)',
    'SHORTEST_WAIT_MS',
  ]),

  // Books.
  plant('writes the wrong line into the custody log', /custody log/, [
    'core/change-chunk',
    'after.state.status',
    'chunk.state.status',
  ]),
  plant('does not count what is parked', /parked chunks, and there are/, [
    'core/session',
    'isParked(effort) ? 1 : 0',
    '0',
  ]),
  plant('does not count what is stored', /stored bytes, and there are/, [
    'core/session',
    'effort ? 0 : sizeBytes',
    '0',
  ]),
  plant('does not count how long what is stored is', /stored ms, and there are/, [
    'core/session',
    'effort ? 0 : durationMs',
    '0',
  ]),
]

/** The simulator's store speaks no HTTP: this one is shown to the adapter itself. */
export const PIN_OF_ANOTHER = plant('takes the pin of another key for ours', /all/, [
  'adapters/transports/ipfs',
  '!(cid in Object(Keys))',
  'Object.keys(Object(Keys)).length === 0',
])

/** Random histories are over before anybody would look: this one is shown to a scenario of its own. */
export const NEVER_LOOKS_AGAIN = plant(
  'never looks again',
  /the chain has taken .* back, and nobody has looked/,
  ['core/watching', 'ageMs >= seenAgeMs + LOOKS_APART_MS', 'false'],
)

/** The simulator's histories have few sessions: this one is shown to a start itself. */
export const FORGETS_OPEN = plant('forgets sessions that are not settled', /^gone$/, [
  'core/session',
  'open === undefined',
  'true',
])

export const NEVER_COUNTS = plant('never counts what there is', /^uploading$/, [
  'engine/plan-work',
  '(await tx.count(session.id)) === totalChunks(session)',
  'true',
])

export const FORGETS_LOSSES = plant('forgets that a record was lost', /^complete$/, [
  'core/session-machine',
  '(session.lost ?? 0) + lost',
  'undefined',
])

/** Planted as well, and noticed by tests of their own. */
export const SHOWN_APART = [PIN_OF_ANOTHER, NEVER_LOOKS_AGAIN, FORGETS_OPEN, NEVER_COUNTS, FORGETS_LOSSES]
