import type { Context } from '../../sw/engine/context.ts'
import type { AnchorRequest } from '../../sw/ports/anchor.ts'
import type { Lock } from '../../sw/ports/platform.ts'
import type { ReadTransaction, Store, WriteTransaction } from '../../sw/ports/store.ts'
import { POLICY } from '../../sw/engine/policy.ts'
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

const simply = (name: string, breaks: RegExp, context: (context: Context) => Context): Mutation => ({
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
      changed(tx, { putSession: ({ trials: _forgotten, ...session }) => tx.putSession(session) }),
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

  simply("confirms on the relay's word", /before any anchor was deep enough|does not list it/, (context) => {
    const taken = new Map<string, AnchorRequest>()
    return {
      ...context,
      anchor: {
        ...context.anchor,
        async submit(anchor, signal) {
          await context.anchor.submit(anchor, signal)
          taken.set(anchor.sessionId, anchor)
        },
        async read(id, signal) {
          const told = taken.get(id)
          if (told === undefined) return context.anchor.read(id, signal)
          const deep = { creator: await context.anchor.uploader(signal), ...told }
          return { blockNumber: 1, latest: deep, deep }
        },
      },
    }
  }),

  simply('confirms without depth', /before any anchor was deep enough|does not list it/, (context) => ({
    ...context,
    anchor: {
      ...context.anchor,
      async read(id, signal) {
        const { deep: _deep, ...seen } = await context.anchor.read(id, signal)
        return { ...seen, ...(seen.latest && { deep: seen.latest }) }
      },
    },
  })),

  simply(
    'gives one index to two contents',
    /acknowledged as new twice|content of .* changed|two contents/,
    (context) => {
      const blind = { chunk: async () => undefined }
      return withReads({ ...context, store: { ...context.store, write: overwriting(context.store) } }, (tx) =>
        changed(tx, blind),
      )
    },
  ),

  simply('publishes a manifest that forgets a chunk', /in no publication|does not list it/, (context) =>
    withReads(context, (tx) =>
      changed(tx, {
        async chunksOf(id) {
          const chunks = await tx.chunksOf(id)
          const publishing = chunks.filter(({ state }) => state.status === 'manifesting')
          return publishing.length < 2 ? chunks : chunks.filter((chunk) => chunk !== publishing.at(-1))
        },
      }),
    ),
  ),

  simply('does not know its policy', /left, though uploads are suspended/, (context) =>
    withReads(context, (tx) =>
      changed(tx, { meta: async (name) => (name === POLICY ? undefined : tx.meta(name)) }),
    ),
  ),

  simply('counts a chunk as stored on any answer', /not at the store/, (context) => ({
    ...context,
    transport: {
      ...context.transport,
      send: (...args) => context.transport.send(...args).catch(() => 'proved' as const),
    },
  })),

  simply('confirms in one transaction and deletes in none', /still held/, (context) =>
    withWrites(context, (tx) => changed(tx, { deletePayload: async () => undefined })),
  ),

  simply('forgets the intent to send', /sent again without asking|not in flight/, (context) =>
    withWrites(context, (tx) =>
      changed(tx, {
        putChunk: (chunk) =>
          chunk.state.status === 'uploading'
            ? tx.putChunk({ ...chunk, state: { ...chunk.state, sent: false } })
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
