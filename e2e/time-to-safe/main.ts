import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../backend/repository-root.ts'
import { machine } from './machine.ts'
import { backlog, destroyed, destroyOnce, timeToSafe, type Measured } from './measure.ts'
import { lineOf, report } from './safe-report.ts'
import { openSafeStack, type SafeStack } from './safe-stack.ts'

const HELP = `How soon is what a camera gives safe somewhere else? A Chromium without a debugger, over a shaped link.

  npm run bench:safe -- [options] [time-to-safe destroyed destructions backlog]

  --mbit N,…     links of "time-to-safe", Mbit/s (default 0.3,1,5,20); the others have 1
  --seconds N    length of a recording (default 60; of "destroyed" at least 90)
  --times N      recordings of "destroyed" (default 2), destructions (default 10)
  --before N     chunks that the session of "backlog" had before (default 0; 10000 takes an hour)
  --write        writes what was measured into docs/time-to-safe.md; its other sections stay`

const NAMES = ['time-to-safe', 'destroyed', 'destructions', 'backlog'] as const

const DOCUMENT = join(repositoryRoot(), 'docs', 'time-to-safe.md')

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      mbit: { type: 'string', default: '0.3,1,5,20' },
      seconds: { type: 'string', default: '60' },
      times: { type: 'string' },
      before: { type: 'string', default: '0' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const names = NAMES.filter((name) => positionals.length === 0 || positionals.includes(name))
  if (names.length < positionals.length) throw new Error(`There are only: ${NAMES.join(', ')}`)
  const seconds = Number(values.seconds)
  const times = (otherwise: number) => Number(values.times ?? otherwise)

  const world = await openSafeStack()
  try {
    for (const name of names) {
      const measured: Measured[] = []
      for await (const one of measure(world, name)) {
        console.log(lineOf(one))
        measured.push(one)
      }
      // Each kind at once: the next ones run long, and may not come to their end.
      if (values.write)
        await writeFile(DOCUMENT, report(await readFile(DOCUMENT, 'utf8'), measured, machine()))
    }
  } finally {
    await world.close()
  }

  async function* measure(world: SafeStack, name: (typeof NAMES)[number]): AsyncGenerator<Measured> {
    switch (name) {
      case 'time-to-safe':
        for (const mbit of values.mbit.split(',').map(Number)) yield timeToSafe(world, mbit, seconds)
        return
      case 'destroyed':
        yield destroyed(world, 1, Math.max(90, seconds), times(2))
        return
      case 'destructions':
        for (let at = 0; at < times(10); at++)
          yield destroyOnce(world, 1, 35_000 + Math.round(Math.random() * 25_000))
        return
      case 'backlog':
        yield backlog(world, 1, { before: Number(values.before) })
    }
  }
}

await main()
