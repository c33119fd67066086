import { describe, expect, it } from 'vitest'
import { HEADS_COVERAGE, TELLINGS_COVERAGE } from '../without-chain/cells.ts'
import { coverageOf, coveringCells } from './covering.ts'
import { isCovering, isSampled, MATRIX, MATRIX_COVERAGE, storeMeets } from './matrix.ts'

describe('a covering set', () => {
  const dimensions = { places: ['a', 'b', 'c'], deaths: ['d', 'e', 'f', 'g'], moments: ['m', 'n', 'o'] }
  const meets = (death: string, moment: string) => death === 'd' && moment === 'm'

  it('has each pair, and each triple where all three meet', () => {
    const cells = coveringCells(dimensions, meets)
    expect(coverageOf(dimensions, meets, cells)).toEqual({
      cells: 14,
      ofCells: 36,
      pairs: 33,
      ofPairs: 33,
      triples: 3,
      ofTriples: 3,
    })
  })

  it('has what it is told to keep, once', () => {
    const cells = coveringCells(dimensions, meets, [
      ['a', 'd', 'n'],
      ['a', 'd', 'm'],
    ])
    expect(cells).toHaveLength(15)
    expect(cells).toContainEqual(['a', 'd', 'n'])
  })

  it('refuses dimensions of which the places cannot take turns', () => {
    const few = { ...dimensions, moments: ['m', 'n'] }
    expect(() => coveringCells(few, () => false)).toThrow('turns')
  })

  it('tells of a pair that is missing, and of a triple', () => {
    const without = coveringCells(dimensions, meets).filter(
      ([place, death]) => !(place === 'b' && death === 'd'),
    )
    const { pairs, triples } = coverageOf(dimensions, meets, without)
    expect(pairs).toBeLessThan(33)
    expect(triples).toBe(2)
  })
})

it.each([
  ['the matrix', MATRIX_COVERAGE],
  ['heads at the store', HEADS_COVERAGE],
  ['telling the app', TELLINGS_COVERAGE],
])('what --all takes of %s has each pair, and each triple that meets in the code', (_what, coverage) => {
  expect(coverage.pairs).toBe(coverage.ofPairs)
  expect(coverage.triples).toBe(coverage.ofTriples)
})

it('what npm test takes of the matrix is in what --all takes, as is every death in mid-upload over every store', () => {
  for (const place of MATRIX.places)
    for (const death of MATRIX.deaths)
      for (const moment of MATRIX.moments) {
        const cell = [place, death, moment] as const
        if (isSampled(cell) || moment.startsWith('uploading'))
          expect(isCovering(cell), cell.join()).toBe(true)
        if (storeMeets(death, moment)) expect(isCovering(cell), cell.join()).toBe(true)
      }
})
