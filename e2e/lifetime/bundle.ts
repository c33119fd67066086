import { join } from 'node:path'
import { build } from 'vite'
import { repositoryRoot } from '../backend/repository-root.ts'

/** One classic script of a source file in this folder and all that it imports. */
export async function bundle(file: string): Promise<string> {
  const root = join(repositoryRoot(), 'e2e', 'lifetime')
  const built = await build({
    configFile: false,
    root,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, lib: { entry: join(root, file), formats: ['iife'], name: 'lifetime' } },
  })
  for (const result of Array.isArray(built) ? built : [built])
    if ('output' in result) return result.output[0].code
  throw new Error(`${file} gave no script.`)
}
