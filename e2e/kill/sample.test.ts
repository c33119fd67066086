import { describe, expect, it } from 'vitest'
import { isSampled, type Place } from './sample.ts'

const [STORES, MOMENTS, DEATHS] = [4, 12, 7]

const upTo = (end: number) => [...Array(end).keys()]
const sample: Place[] = upTo(STORES).flatMap((store) =>
  upTo(MOMENTS).flatMap((moment) =>
    upTo(DEATHS)
      .map((death) => ({ store, moment, death }))
      .filter((place) => isSampled(place, DEATHS)),
  ),
)

describe('the sample of the kill matrix', () => {
  it('is 24 cells', () => expect(sample).toHaveLength(24))

  it('has each moment over two stores, by two deaths', () => {
    for (const moment of upTo(MOMENTS)) {
      const cells = sample.filter((place) => place.moment === moment)
      expect(new Set(cells.map(({ store }) => store)).size).toBe(2)
      expect(new Set(cells.map(({ death }) => death)).size).toBe(2)
    }
  })

  it('has each death at three moments or more, and each store six times', () => {
    for (const death of upTo(DEATHS))
      expect(sample.filter((place) => place.death === death).length).toBeGreaterThanOrEqual(3)
    for (const store of upTo(STORES)) expect(sample.filter((place) => place.store === store)).toHaveLength(6)
  })
})
