import { HELP, OptionError, soakOptions } from './options.ts'
import { soak, type Report } from './soak.ts'

const isClean = ({ lost, duplicated, corrupted, unconfirmed }: Report) =>
  lost + duplicated + corrupted + unconfirmed === 0

async function main(): Promise<number> {
  const options = soakOptions(process.argv.slice(2), Date.now())
  if (options === 'help') {
    console.log(HELP)
    return 0
  }
  const tell = options.quiet ? () => undefined : (line: string) => console.error(line)
  tell(`Seed ${options.seed}: ${options.kills} kills in at most ${options.minutes} minutes.`)
  const report = await withoutStandardOutput(() => soak(options, tell))
  console.log(JSON.stringify(report))
  return isClean(report) && report.kills >= options.kills ? 0 : 1
}

/** Standard output is for the report alone; the demo's build tells of itself on it. */
async function withoutStandardOutput<T>(work: () => Promise<T>): Promise<T> {
  const { stdout, stderr } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  try {
    return await work()
  } finally {
    stdout.write = write
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof OptionError ? error.message : error)
    process.exit(2)
  },
)
