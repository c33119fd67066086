import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { beforeAll, describe, expect, it } from 'vitest'
import { adviceFor } from '../../src/protocol/advice.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { BROWSERS } from './compat-data.ts'
import { featuresOf } from './features.ts'
import { lookUp, minimumIn, type Known } from './minimum.ts'

const root = repositoryRoot()
const MODULE_WORKER = 'option module worker'

/** Entries by where they run; what a store or an anchor is tested with runs in no browser of a person, nor does what is for Node. */
const PARTS = {
  page: /^\.($|\/(capture|elements|upload|storage|store|group|advice|capabilities|format-1)$)/,
  worker: /^\.\/sw/,
  reader: /^\.\/verify($|\/car$)/,
} as const
const ELSEWHERE = ['./testing', './contracts', './verify/node']

type Part = keyof typeof PARTS
const used = {} as Record<Part, readonly Known[]>
const unknown = {} as Record<Part, readonly string[]>

/** The sources of the package's entries, by their names. */
function entries(): ReadonlyMap<string, string> {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return new Map(
    Object.entries<{ default: string }>(exports).map(([name, { default: file }]) => [
      name,
      join(root, file.replace('/dist/', '/').replace(/\.js$/, '.ts')),
    ]),
  )
}

/** As an app's bundler would, but for a browser that knows everything: nothing is compiled to what is older. */
async function featuresIn(entry: readonly string[]): Promise<ReadonlySet<string>> {
  const outputs = await build({
    configFile: false,
    logLevel: 'warn',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, minify: false, target: 'esnext', lib: { entry: [...entry], formats: ['es'] } },
  })
  const features = new Set<string>()
  for (const result of [outputs].flat())
    for (const file of 'output' in result ? result.output : [])
      if (file.type === 'chunk') for (const feature of featuresOf(file.code)) features.add(feature)
  return features
}

beforeAll(async () => {
  for (const part of Object.keys(PARTS) as Part[]) {
    const sources = [...entries()].filter(([name]) => PARTS[part].test(name)).map(([, source]) => source)
    const found = lookUp(await featuresIn(sources))
    used[part] = found.known
    unknown[part] = found.unknown
  }
})

it('every entry of the package is looked at', () => {
  const rest = [...entries().keys()].filter((name) => !Object.values(PARTS).some((part) => part.test(name)))
  expect(rest).toEqual(ELSEWHERE)
})

it.each(Object.keys(PARTS) as Part[])('the %s uses nothing of which compat-data.ts knows nothing', (part) => {
  expect(unknown[part]).toEqual([])
})

describe('what is needed', () => {
  const columns = BROWSERS.map((_, column) => column)
  const classic = (part: Part) => used[part].filter(({ feature }) => feature !== MODULE_WORKER)
  const module = () => [...used.worker, ...used.page.filter(({ feature }) => feature === MODULE_WORKER)]
  const versionsOf = (known: readonly Known[]) => columns.map((column) => minimumIn(known, column).version)

  const row = (what: string, known: readonly Known[]) => {
    const cells = columns.map((column) => {
      const { version, decides } = minimumIn(known, column)
      return `${version}: ${decides.map(inWords).join(', ')}`
    })
    return `| ${[what, ...cells].join(' | ')} |`
  }
  const inWords = (feature: string) =>
    feature === MODULE_WORKER
      ? 'module workers'
      : `\`${feature.replace(/^(syntax|option) /, '').replace('.prototype.', '.')}\``

  it('is what docs/browsers.md says', () => {
    const page = readFileSync(join(root, 'docs/browsers.md'), 'utf8')
    const rows = [
      row('page', classic('page')),
      row('worker, a classic script', classic('worker')),
      row('worker, a module', module()),
      row('reader, `holdfast/verify`', used.reader),
    ]
    expect(page.match(/^\| (page|worker, |reader, ).*$/gm)).toEqual(rows)
  })

  it('is what the README and the advice say', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const [chromium, firefox, safari, samsung] = versionsOf([...classic('page'), ...classic('worker')])
    const newest = `Chrome or Edge ${chromium}, Firefox ${firefox}, Safari ${safari}, Samsung Internet ${samsung}`
    expect(adviceFor('unsupported-browser')).toContain(newest)
    expect(readme).toContain(newest)
    const withModules = versionsOf(module())[1]
    expect(adviceFor('no-service-worker')).toContain(`Firefox before ${withModules} runs no module`)
    expect(readme).toContain(`Firefox ${withModules}`)
  })

  it('is as old as what connect() asks for, in every browser: nothing is missed later', () => {
    // As requirements.test.ts finds them.
    const asked = lookUp(['navigator.locks', 'BroadcastChannel', '.throwIfAborted()']).known
    const least = versionsOf(asked)
    for (const part of ['page', 'worker'] as const)
      versionsOf(classic(part)).forEach((version, column) =>
        expect(version, `${part}, ${BROWSERS[column]}`).toBeLessThanOrEqual(least[column] ?? 0),
      )
  })
})

describe('featuresOf', () => {
  const found = (code: string) => [...featuresOf(code)].filter((name) => !name.startsWith('syntax'))

  it.each([
    ['AbortSignal.any([])', ['AbortSignal', 'AbortSignal.any']],
    ['const { locks } = navigator', ['navigator.locks', 'navigator']],
    ['self.caches', ['caches']],
    ['of({}).at(0); function of(a) { return a }', ['.at()']],
    ['export const a = { name: 1 }; a.reason', ['.reason']],
    ['f(() => crypto); function f(crypto) { return crypto.subtle }', ['crypto', '.subtle']],
    ['{ let fetch } fetch()', ['fetch']],
    ['{ var fetch } fetch()', []],
    ['try { b() } catch ({ b }) { b }', ['b']],
    ['class A { static #b = A } for (const a of []) a()', []],
    ['const a = [], [b, { c: d = URL }] = a; b(d)', ['URL']],
    [
      'const m = new Map(); m.values().map(f); function f() {}',
      ['Map', '.values()', '.map()', 'Iterator.map'],
    ],
    ['Object.values({}).map(parseInt)', ['Object', 'Object.values', '.map()', 'parseInt']],
    [
      "addEventListener('a', b, { signal: 1 }); let b",
      ['addEventListener', 'option addEventListener(…, { signal })'],
    ],
  ])('reads %s', (code, features) => {
    expect(found(code).toSorted()).toEqual(features.toSorted())
  })

  it('does not name what is asked for before it is called', () => {
    const a = 'const a = {}; '
    expect(found(`${a} a.at?.(0)`)).toEqual([])
    expect(found(`${a} a.at(0)`)).toEqual(['.at()'])
  })

  it.each([
    ['const a = {}; a?.b', 'a?.b'],
    ['let a; a ??= 1', 'a ??= b'],
    ['class A { static {} }', 'static {}'],
    ['class A { #a; b() { return #a in this } }', '#field in a'],
    ['await 1', 'top-level await'],
    ['for await (const a of []) a', 'top-level await'],
    ['/(?<=a)b/', '(?<=a)'],
    ['/a/v', '/a/v'],
    ['1n', '1n'],
  ])('reads the syntax of %s', (code, name) => {
    expect([...featuresOf(code)]).toContain(`syntax ${name}`)
  })

  it('takes no await of a function for one at the top', () => {
    expect([...featuresOf('async () => { await 1 }')]).toEqual([])
  })

  it('refuses what it cannot parse', () => {
    expect(() => featuresOf('let a = ;')).toThrow('cannot be parsed')
  })
})

describe('lookUp', () => {
  it('takes a name that two have for the older one’s', () => {
    const { known } = lookUp(['.toSorted()', '.at()'])
    expect(known.map(({ feature }) => feature)).toEqual([
      'Array.prototype.toSorted()',
      'Array.prototype.at()',
    ])
  })

  it('knows what raises the minimum, and by how much', () => {
    const { known } = lookUp(['AbortSignal.any', '.at()'])
    expect(minimumIn(known, 1)).toEqual({ version: 124, decides: ['AbortSignal.any'] })
  })

  it('names what it does not know', () => {
    expect(lookUp(['navigator.noSuchThing', 'Map']).unknown).toEqual(['navigator.noSuchThing'])
  })
})
