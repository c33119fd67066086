import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder with Holdfast's `package.json`.
 *
 * This code runs from `e2e/backend` (test runners) and from `dist/e2e/backend` (plain node), so nothing else
 * about its own place is certain.
 */
export function repositoryRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url))
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest) && readFileSync(manifest, 'utf8').includes('"name": "holdfast"')) return folder
    if (folder === dirname(folder)) throw new Error(`No package.json named holdfast above ${start}`)
  }
}
