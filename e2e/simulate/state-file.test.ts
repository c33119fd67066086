import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FROM_THE_BEGINNING, stateFile } from './state-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'simulate-'))
const CAME_FAR = { ...FROM_THE_BEGINNING, nextRun: 20_000, seconds: 150 }

test('a long run goes on where it stopped', () => {
  expect(stateFile(1, folder, 'world').load()).toEqual(FROM_THE_BEGINNING)
  stateFile(1, folder, 'world').save(CAME_FAR)
  expect(stateFile(1, folder, 'world').load()).toMatchObject({ nextRun: 20_000, seconds: 150 })
})

test('a long run begins anew for another seed, for other code, and where the file is damaged', () => {
  stateFile(2, folder, 'world').save(CAME_FAR)
  expect(stateFile(3, folder, 'world').load().nextRun).toBe(0)
  expect(stateFile(2, folder, 'other world').load().nextRun).toBe(0)
  writeFileSync(join(folder, 'seed-2.json'), '{"world":"wor')
  expect(stateFile(2, folder, 'world').load().nextRun).toBe(0)
})
