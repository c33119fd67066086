import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's top folder, wherever this module runs from: the sources, or what `tsc` emitted. */
export const repositoryRoot = (() => {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'holdfast') return folder
    if (folder === dirname(folder)) throw new Error('This file is not inside a checkout of holdfast.')
  }
})()
