import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../backend/repository-root.ts'
import { API, apiReference } from './reference.ts'

const folder = join(repositoryRoot(), API)
await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
for (const [name, text] of await apiReference()) await writeFile(join(folder, name), text)
