import * as current from '../../sw/adapters/store/schema.ts'

/** A version that does not exist yet: with an index and a store that the present code knows nothing of. */
export const SCHEMA_VERSION = current.SCHEMA_VERSION + 1

export const upgrade: typeof current.upgrade = (db, oldVersion) => {
  current.upgrade(db, oldVersion)
  db.createObjectStore('of-the-future' as 'meta')
}
