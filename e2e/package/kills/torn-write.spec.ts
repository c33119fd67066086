import { expect, test, WHOLE } from '../../fixtures.ts'
import { killUploads } from './kills.ts'

// What is not promised in docs/guarantees.md, and that the judge of the kills tells it apart by what it finds.

test(`a browser that died in the middle of a write throws all databases away at the start after the next: the file goes up again ${WHOLE}`, async ({
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
  expect(outcome).toMatchObject({ lost: [], doubled: [] })
  // Where there is none, Chromium has another form of database by now, and the documents are to be changed.
  expect(outcome.wiped).toEqual([expect.stringContaining('browser 1 left')])
  expect(outcome.forgotten).toBeGreaterThan(0)
})
