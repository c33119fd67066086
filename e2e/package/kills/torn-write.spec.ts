import { expect, test, WHOLE } from '../../fixtures.ts'
import { killUploads } from './kills.ts'

// docs/decisions/0047-the-browsers-log-is-turned-over.md

test(`a browser that died in the middle of a write to its databases leaves their log broken: the next worker has it turned over, and nothing is lost at the start after ${WHOLE}`, async ({
  browserName: _none,
}, info) => {
  const outcome = await killUploads({
    store: 'tus',
    uploads: 1,
    kills: 3,
    kinds: ['browser'],
    tears: true,
    seed: 7,
    folder: info.outputPath('kills'),
    log: () => undefined,
  })
  expect(outcome).toMatchObject({ lost: [], doubled: [], wiped: [], forgotten: 0 })
  expect(outcome.torn).toEqual({ ever: [expect.stringContaining('browser 1 left')], last: [] })
})
