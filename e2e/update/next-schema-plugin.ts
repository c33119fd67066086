import { join } from 'node:path'
import { repositoryRoot } from '../backend/repository-root.ts'

/** A worker with the schema of tomorrow: the one module is put in another's place, in this build alone. */
export const withNextSchema = {
  name: 'next-schema',
  enforce: 'pre',
  resolveId: (source: string, importer: string | undefined) =>
    source.endsWith('/schema.ts') && importer?.endsWith('/sw/adapters/store/idb-requests.ts') === true
      ? join(repositoryRoot(), 'e2e/update/next-schema.ts')
      : undefined,
} as const
