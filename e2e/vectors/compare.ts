import { compareReaders } from './agreement.ts'

// node dist/e2e/vectors/compare.js [sessions] [first seed]: the product's reader and the second one, on random sessions

const [count = '1000', first = '0'] = process.argv.slice(2)
const seeds = Array.from({ length: Number(count) }, (_, at) => String(Number(first) + at))
const { sessions, found, differences } = await compareReaders(seeds)
console.log(found)
for (const difference of differences) console.log(JSON.stringify(difference, undefined, 1))
console.log(`${sessions} sessions, ${differences.length} differences`)
process.exitCode = differences.length > 0 ? 1 : 0
