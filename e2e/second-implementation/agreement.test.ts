import { expect, it, onTestFinished } from 'vitest'
import { randomBytes } from 'node:crypto'
import { fileAddress } from './address.ts'
import { compareReaders } from './agreement.ts'
import { noPython, startPythonReader } from './python-reader.ts'
import { takesWhole } from '../test-size.ts'
import { seedsFrom } from './tampering.ts'

// All 1,000, with what of them was said: node dist/e2e/second-implementation/compare.js

const COUNT = takesWhole() ? 100 : 30
/** Of one leaf, of the first size with two, of three; of more than Python hashes in a moment. */
const LENGTHS = [0, 1, 1_048_576, 1_048_577, 2_500_000, ...(takesWhole() ? [67_108_880] : [])]

const WITHOUT_PYTHON = noPython()

it(`the product’s reader, a second one, and one in Python where that is installed, say the same of ${COUNT} random sessions, good and bad`, async () => {
  const { found, differences } = await compareReaders(seedsFrom(0, COUNT))
  expect(differences).toEqual([])
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining(['all proved', 'bad chunks', 'lost entries', 'forked']),
  )
})

const inPython = it.skipIf(WITHOUT_PYTHON !== undefined)

// No random session has a chunk of more than one leaf.
inPython.each(LENGTHS)(
  `the reader in Python finds a chunk of %i bytes where the reference importer puts it${WITHOUT_PYTHON ? `: ${WITHOUT_PYTHON}` : ''}`,
  async (length) => {
    const python = startPythonReader()
    onTestFinished(() => python.close())
    const bytes = length === 67_108_880 ? Buffer.alloc(length, 7) : randomBytes(length)
    expect(await python.address(bytes)).toBe(await fileAddress(bytes))
  },
)
