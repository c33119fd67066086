import { expect, it } from 'vitest'
import { nameFor } from './names.ts'

// Promise 1 of docs/guarantees.md.
it('a name is one registration’s alone, whatever scopes an origin has', () => {
  const scopes = ['', 'b/', 'b', 'b/c/', 'b?app=1', 'b?app=2'].map((path) => `https://app.example/${path}`)
  const bases = ['holdfast', 'holdfast-drain', 'holdfast-recording:00000000-0000-4000-8000-000000000001']
  const names = bases.flatMap((base) => scopes.map((scope) => nameFor(base, scope)))
  expect(new Set(names).size).toBe(names.length)
  expect(names).not.toContain('holdfast')
})
