import { describe, it } from 'vitest'
import { STORE_CASES } from '../contracts/store.contract.ts'
import { memoryStore } from './fake-disk.ts'

describe('fakeDisk', () => {
  it.each(STORE_CASES)('$title', ({ run }) => run(memoryStore()))
})
