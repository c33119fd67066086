import type { Policy } from '../../src/protocol/snapshot.ts'
import type { ReadTransaction } from '../ports/store.ts'

/** The name under which the store keeps the app's policy. */
export const POLICY = 'policy'

/** The stored policy; undefined before the app has set one, which means `always`. */
export const policyOf = (tx: ReadTransaction) => tx.meta(POLICY) as Promise<Policy | undefined>
