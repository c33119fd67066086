import type { AnchoredContext, Context } from '../../sw/engine/context.ts'
import type { WitnessedHead } from '../../sw/ports/anchor.ts'
import type { Lock } from '../../sw/ports/platform.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../sw/ports/store.ts'
import { NEW_EFFORT } from '../../sw/core/effort.ts'
import { POLICY } from '../../sw/engine/policy.ts'
import type { Happening } from './history.ts'
import type { Mutation } from './mutation.ts'

/** Breaks each transaction that writes. */
const withWrites = (context: Context, change: (tx: WriteTransaction) => WriteTransaction): Context => ({
  ...context,
  store: { ...context.store, write: (work) => context.store.write((tx) => work(change(tx))) },
})

/** Breaks each transaction that only reads. */
const withReads = (context: Context, change: (tx: ReadTransaction) => ReadTransaction): Context => ({
  ...context,
  store: { ...context.store, read: (work) => context.store.read((tx) => work(change(tx))) },
})

/** The same transaction with some of its methods changed; methods of a class do not spread. */
const changed = <Tx extends ReadTransaction>(tx: Tx, methods: Partial<Tx>): Tx =>
  Object.assign(Object.create(tx) as Tx, methods)

const simply = (name: string, breaks: RegExp, context: (context: AnchoredContext) => Context): Mutation => ({
  name,
  breaks,
  create: () => ({ context }),
})

/** Ways to break a promise. The simulator must notice each. */
export const MUTATIONS: readonly Mutation[] = [
  simply('deletes the bytes before the chain confirmed', /no longer held/, (context) =>
    withWrites(context, (tx) =>
      changed(tx, {
        async putChunk(chunk) {
          await tx.putChunk(chunk)
          if (chunk.state.status === 'uploaded') await tx.deletePayload(chunk.id)
        },
      }),
    ),
  ),

  simply('acknowledges before the transaction is complete', /but is not on the disk/, (context) => ({
    ...context,
    store: { ...context.store, write: impatient(context.store) },
  })),

  simply('forgets to try a sign-in again', /is not at its end/, (context) =>
    withWrites(context, (tx) =>
      // Not without the field: that is a record of an older version, of which everything is tried at once.
      changed(tx, { putSession: (session) => tx.putSession({ ...session, trials: undefined }) }),
    ),
  ),

  simply('sends again without asking', /sent again without asking/, (context) => ({
    ...context,
    transport: { ...context.transport, probe: async () => ({ kind: 'nothing' }) },
  })),

  simply('submits again without reading the chain', /again without reading the chain/, (context) => ({
    ...context,
    anchor: {
      ...context.anchor,
      submit: async (anchor, signal) => {
        await context.anchor.submit(anchor, signal).catch(() => undefined)
        await context.anchor.submit(anchor, signal)
      },
    },
  })),

  {
    name: 'has a lock that its holder takes to its grave',
    breaks: /is not at its end|did not end within its budget|nobody is told/,
    create: () => {
      const held = new Set<string>()
      return { context: (context) => ({ ...context, lock: immortal(context, held) }) }
    },
  },

  {
    name: 'resolves a sync event while work remains',
    breaks: /sync ended as idle, but work remains/,
    create: () => ({ outcome: (kind, outcome) => (kind === 'sync' ? 'idle' : outcome) }),
  },

  simply(
    "confirms on the relay's word",
    /before any head was deep enough|does not list it|is settled, and the chain/,
    (context) => {
      const taken = new Map<string, WitnessedHead>()
      return {
        ...context,
        anchor: {
          ...context.anchor,
          async submit(request, signal) {
            await context.anchor.submit(request, signal)
            const { name, size, root, page, end } = request.head
            taken.set(name, { size, root, page, end, blockNumber: 1, blockAtMs: 0, firstBlock: 1 })
          },
          async read(name, signal) {
            const told = taken.get(name)
            const seen = await context.anchor.read(name, signal)
            return told === undefined ? seen : { ...seen, latest: told, deep: told }
          },
        },
      }
    },
  ),

  simply(
    'confirms without depth',
    /before any head was deep enough|does not list it|is settled, and the chain/,
    (context) => ({
      ...context,
      anchor: {
        ...context.anchor,
        async read(id, signal) {
          const { deep: _deep, ...seen } = await context.anchor.read(id, signal)
          return { ...seen, ...(seen.latest && { deep: seen.latest }) }
        },
      },
    }),
  ),

  {
    name: 'gives one index to two contents',
    breaks: /acknowledged as new twice|content of .* changed|two contents|another place/,
    besides: [500, 1_500, 3_000, 6_000].flatMap((atMs) =>
      [0, 1, 2].map((of): Happening => ({ atMs, what: { kind: 'other-content', of } })),
    ),
    create: () => ({
      context: (context) =>
        withReads({ ...context, store: { ...context.store, write: overwriting(context.store) } }, (tx) =>
          changed(tx, { chunk: async () => undefined }),
        ),
    }),
  },

  simply('loses an entry of its log', /counts \d+ entries of|is not that of/, (context) =>
    withWrites(context, (tx) =>
      changed(tx, {
        putEntry: (id, position, entry) =>
          position === 1 ? Promise.resolve() : tx.putEntry(id, position, entry),
      }),
    ),
  ),

  simply('writes entries over others', /entry \d+ of|counts \d+ entries of|is not that of/, (context) =>
    withWrites(context, (tx) =>
      changed(tx, {
        putEntry: (id, position, entry) => tx.putEntry(id, Math.max(0, position - 1), entry),
      }),
    ),
  ),

  simply('forgets a head that it signed', /is not at its end/, (context) =>
    withWrites(context, (tx) => changed(tx, { putHead: async () => undefined })),
  ),

  {
    name: 'has a registry that ignores who signed',
    breaks: /is not at its end|is forked, and tells|nobody is told/,
    besides: [1_000, 3_000, 6_000].flatMap((atMs) =>
      [0, 1].map((of): Happening => ({
        atMs,
        what: { kind: 'other-writer', of, who: 'stranger', larger: 1, end: false },
      })),
    ),
    create: () => ({ registryIgnoresSigner: true }),
  },

  {
    name: 'does not know its policy',
    breaks: /left, though uploads are suspended/,
    besides: [{ atMs: 0, what: { kind: 'policy', policy: 'paused' } }],
    create: () => ({
      context: (context) =>
        withReads(context, (tx) =>
          changed(tx, { meta: async (name) => (name === POLICY ? undefined : tx.meta(name)) }),
        ),
    }),
  },

  simply(
    'counts an object as stored on any answer',
    /not at the store|before its page was stored/,
    (context) => ({
      ...context,
      transport: {
        ...context.transport,
        send: (...args) => context.transport.send(...args).catch(() => 'proved' as const),
      },
    }),
  ),

  simply('confirms in one transaction and deletes in none', /still held/, (context) =>
    withWrites(context, (tx) => changed(tx, { deletePayload: async () => undefined })),
  ),

  simply('forgets the intent to send', /sent again without asking|not in flight/, (context) =>
    withWrites(context, (tx) =>
      changed(tx, {
        putChunk: (chunk) =>
          chunk.state.status === 'uploading'
            ? tx.putChunk({ ...chunk, effort: { ...NEW_EFFORT, ...chunk.effort, sent: false } })
            : tx.putChunk(chunk),
      }),
    ),
  ),
]

/** Resolves with the work, not with the transaction. */
const impatient =
  (store: Store): Store['write'] =>
  (work) =>
    new Promise((resolve, reject) => {
      store
        .write(async (tx) => {
          const result = await work(tx)
          resolve(result)
          return result
        })
        .catch(reject)
    })

/** Admission, which looks for the session first and then for the chunk, never finds the one that is there. */
const overwriting =
  (store: Store): Store['write'] =>
  (work) =>
    store.write(async (tx) => {
      const asked: string[] = []
      return work(
        changed(tx, {
          async session(id) {
            asked.push('session')
            return tx.session(id)
          },
          async chunk(id) {
            asked.push('chunk')
            return asked.join(' ') === 'session chunk' ? undefined : tx.chunk(id)
          },
        }),
      )
    })

/** A lock kept in a table, as a stored flag would be: only its holder clears it. */
const immortal = ({ lock, clock }: Context, held: Set<string>): Lock => ({
  ...lock,
  async run(name, work) {
    while (held.has(name)) await clock.sleep(1_000, new AbortController().signal)
    held.add(name)
    try {
      return await work()
    } finally {
      held.delete(name)
    }
  },
})
