import { expect, test } from 'vitest'
import { seeded } from './seeded-random.ts'

const draw = (seed: number) => {
  const random = seeded(seed)
  return Array.from({ length: 1_000 }, () => random.between(3, 9))
}

test('the same seed makes the same choices, another seed others', () => {
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
})

test('choices keep to their range, and reach all of it', () => {
  expect([...new Set(draw(1))].toSorted()).toEqual([3, 4, 5, 6, 7, 8])
})
