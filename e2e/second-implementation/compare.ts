import { compareReaders } from './agreement.ts'

// node dist/e2e/second-implementation/compare.js [sessions] [first seed]: the readers, on random sessions

const [count = '1000', first = '0'] = process.argv.slice(2)
const seeds = Array.from({ length: Number(count) }, (_, at) => String(Number(first) + at))
const { sessions, found, differences, withoutPython } = await compareReaders(seeds)
console.log(found)
console.log(
  withoutPython
    ? `The reader in Python was not asked: it ${withoutPython}`
    : 'The reader in Python was asked too',
)
for (const difference of differences) console.log(JSON.stringify(difference, undefined, 1))
console.log(`${sessions} sessions, ${differences.length} differences`)
process.exitCode = differences.length > 0 ? 1 : 0
