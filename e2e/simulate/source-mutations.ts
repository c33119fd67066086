import type { Happening } from './history.ts'

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

const SLOW_DISK: Happening = { atMs: 0, what: { kind: 'disk-slow', forMs: 60_000 } }

/** Two drains at once, again and again, on a disk that gives each time to be late. */
const TWO_DRAINS: readonly Happening[] = [
  SLOW_DISK,
  ...[1_500, 3_000, 4_500, 6_000, 9_000, 12_000].flatMap((atMs): Happening[] => [
    { atMs, what: { kind: 'lock-stolen' } },
    { atMs: atMs + 10, what: { kind: 'page-opened' } },
  ]),
]

/** Bytes rot again and again while they wait to be sealed. */
const MUCH_ROT: readonly Happening[] = [
  SLOW_DISK,
  ...Array.from({ length: 30 }, (_none, at): Happening => ({
    atMs: 200 * at,
    what: { kind: 'bit-rot', of: at % 3, lost: false },
  })),
]

const UNFINISHED = /is not at its end/

/** Ways to break a promise from inside. */
export const SOURCE_MUTATIONS: readonly SourceMutation[] = [
  // Those that survived the unit tests and the simulator in review; `pin/ls` is beside them in mutations.test.ts.
  {
    ...plant('takes a late event for one that counts', /not in flight/, [
      'engine/commit',
      'if (!accepted) return undefined',
      'if (!accepted) return before',
    ]),
    besides: TWO_DRAINS,
  },
  plant('submits an anchor again though the newest block shows it', /though the newest block shows it/, [
    'engine/publisher',
    '!isSeen && !submittedLately',
    '!submittedLately',
  ]),
  plant(
    'does not check that the manifest is the one that was named',
    /other bytes were sent/,
    ['engine/publisher', 'cid !== publication.manifest.cid', 'false'],
    // As a later version might: the same records give another manifest.
    [
      'engine/manifest',
      'publication.lastUpdatedMs',
      'publication.lastUpdatedMs + (publication.sent ? 1 : 0)',
    ],
  ),
  plant('lets a chunk pay for a failing store', /pays for a failing disk/, [
    'engine/transfer',
    "error.code === 'storage-failed'",
    'false',
  ]),

  // What a publication tells, and of which.
  {
    ...plant(
      'takes any event for one of the publication in flight',
      /is not at its end|in no publication|counts other chunks|custody log|though it is not in flight|no longer held|deep enough|does not list|did not end within/,
      ['core/session-machine', 'isInFlight(session, event.of) && stepPublication', 'stepPublication'],
    ),
    besides: TWO_DRAINS,
  },
  plant('never publishes the end of a recording', UNFINISHED, [
    'core/publication',
    'session.tally.uploaded > 0 || closes',
    'session.tally.uploaded > 0',
  ]),
  plant(
    'takes a recording for whole without its final manifest',
    /settled, but not anchored as it ended|ended as idle/,
    ['core/session', 'total === 0 || session.anchored?.ending === session.ending', 'true'],
  ),
  plant('forgets what it anchored', /is not at its end|anchored twice/, [
    'core/session-machine',
    'clearError({ ...rest, anchored })',
    'clearError(rest)',
  ]),
  plant('interrupts a recording that is whole', /was whole, and is/, [
    'core/session-machine',
    "knowsAll || session.ending === 'complete'",
    'knowsAll',
  ]),

  // What goes on by itself, and is told.
  plant('never tries again what was refused', UNFINISHED, [
    'core/plan',
    "metered ? undefined : trialMs('refusal')",
    'undefined',
  ]),
  plant('believes any time that it stored', UNFINISHED, [
    'core/retry-policy',
    'timeMs > nowMs + longestMs',
    'false',
  ]),
  plant('waits ever longer', /is not at its end|nobody is told/, [
    'core/retry-policy',
    'Math.min(capMs, BASE_MS * 2 ** Math.min(failures - 1, 20))',
    '(BASE_MS * 100 ** Math.min(failures + 1, 20))',
  ]),
  plant('does not notice the death of a recorder', UNFINISHED, [
    'engine/drain',
    "ending !== 'recording' || watched.has(id)",
    'true',
  ]),
  plant('loses the mark of what is open', /is not at its end|ended as idle/, [
    'core/session',
    'isSettled(session) ? rest : { ...rest, open: session.startedAtMs }',
    'rest',
  ]),
  plant('tells nobody of a failure', /nobody is told|does not say why|is not at its end/, [
    'core/session-machine',
    'isReportable(failure)',
    'false',
  ]),
  plant('believes a relay that takes and never mines', /nobody is told/, [
    'engine/publisher',
    '!isSeen && taken >= TAKEN_TO_TELL',
    'false',
  ]),

  // Bytes.
  {
    ...plant('seals or sends bytes that rotted', /other bytes were sent|sealed from bytes that rotted/, [
      'engine/payload',
      '(await sha256Hex(bytes)) === sha256',
      'true',
    ]),
    besides: MUCH_ROT,
  },
  plant('sends before the intent is stored', /though it is not in flight|sent again without asking/, [
    'engine/deliver',
    '!sent && !(await delivery.intend())',
    'false',
  ]),
  plant('deletes what nobody gave up', /was deleted, and is not on the chain/, [
    'engine/sessions',
    '!isSettled(session) && confirm !== DISCARD_CONFIRMATION',
    'false',
  ]),
  plant('drains without a lock', /sent again without asking|without reading the chain/, [
    'engine/drain',
    'lock.run(DRAIN_LOCK, run)',
    'run()',
  ]),

  // Books.
  plant('writes the wrong line into the custody log', /custody log/, [
    'core/session-machine',
    'after.state.status',
    'chunk.state.status',
  ]),
  plant('does not count what is parked', /parked chunks of/, [
    'core/session',
    'if (isParked(chunk)) parked += sign',
    'if (false) parked += sign',
  ]),
  plant('does not count what is stored', /stored bytes of/, [
    'core/session',
    'if (isStored(chunk)) storedBytes += bytes',
    'if (false) storedBytes += bytes',
  ]),
]

/** The simulator's store speaks no HTTP: this one is shown to the adapter itself. */
export const PIN_OF_ANOTHER = plant('takes the pin of another key for ours', /all/, [
  'adapters/transports/ipfs',
  '!keys.some((key) => isSameCid(cid, key))',
  'keys.length === 0',
])
