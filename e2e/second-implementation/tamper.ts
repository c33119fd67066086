import { seedsFrom, tamper } from './tampering.ts'

// node dist/e2e/second-implementation/tamper.js [tamperings] [first seed]

const [count = '1000', first = '0'] = process.argv.slice(2)
const { found, missed } = await tamper(seedsFrom(Number(first), Number(count)))
console.log(found)
for (const miss of missed) console.log(JSON.stringify(miss))
console.log(`${count} tamperings, ${missed.length} missed`)
process.exitCode = missed.length > 0 ? 1 : 0
