import { expect, it } from 'vitest'
import { filesOf, ownLines } from '../app.ts'
import { STORES } from './app.ts'

// Run by kills.spec.ts and large-file.ts, from the packed library.

it.each(STORES)(
  'the quick start for files over %s has 40 lines of a person’s own at the most',
  async (store) => {
    const files = await filesOf('quick-start-files.md')
    const { 'vite.config.ts': config = '' } = await filesOf('quick-start.md')
    const { 'src/sw.ts': worker = '', 'src/main.ts': page = '', [`src/${store}.ts`]: transport = '' } = files
    expect(transport).toContain('export const transport')
    expect(ownLines({ config, worker, page, transport })).toBeLessThanOrEqual(40)
  },
)
