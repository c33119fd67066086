import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../backend/repository-root.ts'
import { format2Vectors } from './format-2.ts'

// node dist/e2e/second-implementation/write.js

await writeFile(join(repositoryRoot(), 'src/evidence/vectors/format-2.json'), await format2Vectors())
