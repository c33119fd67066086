import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../backend/repository-root.ts'
import { report } from './safe-report.ts'

const document = await readFile(join(repositoryRoot(), 'docs', 'time-to-safe.md'), 'utf8')

test('what was not measured again stays as it stands', () => {
  expect(report(document, [], 'a machine')).toBe(document)
})

test('what was measured takes the place of what was', () => {
  const measured = {
    kind: 'destruction',
    afterMs: 40_000,
    acknowledged: 39,
    over30: 9,
    over30Found: 9,
    over10: 28,
    over10Found: 28,
    listed: 38,
    proved: 38,
    agrees: true,
  } as const
  const written = report(document, [measured], 'a machine')
  const parts = written.split('\n## ')
  expect(parts.map((part) => part.split('\n')[0])).toEqual(
    document.split('\n## ').map((part) => part.split('\n')[0]),
  )
  const own = parts.find((part) => !document.includes(part))
  expect(own).toMatch(/^Devices that were destroyed\n/)
  expect(own!.match(/\| 40\.0 s \|/g)).toHaveLength(1)
  expect(report(written, [], 'another')).toBe(written)
})
