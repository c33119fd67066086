#!/usr/bin/env node
import process from 'node:process'
import { read } from './read.ts'
import { stoppedBy } from './stopping.ts'

const { stdout, stderr } = process
// Who reads the lines may stop before the last: that ends no reading.
for (const stream of [stdout, stderr]) stream.on('error', () => undefined)

let shown = ''
const progress = (words: string) => {
  // Only for a person: a file of progress helps nobody.
  if (!stderr.isTTY || words === shown) return
  shown = words
  stderr.write(`\r\u001b[K${words}`)
}

process.exitCode = await read(process.argv.slice(2), {
  env: process.env,
  out: (line) => stdout.write(`${line}\n`),
  tell: (line) => {
    progress('')
    stderr.write(`${line}\n`)
  },
  progress,
  signal: stoppedBy(process),
})
