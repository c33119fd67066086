import { expect, it } from 'vitest'
import { pageCid } from '../evidence/page.ts'
import type { Cid, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import type { FoundHead } from './heads.ts'
import { pageReader } from './pages.ts'

const digest = (digit: string) => digit.repeat(64) as Sha256Hex
const headOf = (page: string, previous: string | null): FoundHead => ({
  head: {
    name: digest('0') as string as SessionName,
    size: 1,
    root: digest('0'),
    page: digest(page),
    previous: previous === null ? null : digest(previous),
    groups: digest('0'),
    end: false,
    publicKey: '',
    signature: '',
  },
  blockNumber: undefined,
  timeMs: undefined,
  isSigned: true,
})

it('asks for the page before one that failed, though another head names that only later', async () => {
  const asked: Cid[] = []
  const reader = pageReader(
    {
      silences: 0,
      async fetch({ cid }) {
        asked.push(cid)
        const error = new VerificationError('page-missing', 'fetching the pages', 'Nobody has it.')
        return { kind: 'failed', error, isTooLong: false }
      },
    },
    digest('0') as string as SessionName,
    undefined,
  )
  const newest = headOf('c', 'b')
  await reader.follow([newest])
  expect(asked).toEqual(['c', 'b'].map((page) => pageCid(digest(page))))
  await reader.follow([headOf('b', 'a'), newest])
  expect(asked).toEqual(['c', 'b', 'a'].map((page) => pageCid(digest(page))))
})
