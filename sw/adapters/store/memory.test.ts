import { describe, it } from 'vitest'
import { memoryStore } from './memory.ts'
import { STORE_CASES } from '../../contracts/store.contract.ts'

describe('memoryStore', () => {
  it.each(STORE_CASES)('$title', ({ run }) => run(memoryStore()))
})
