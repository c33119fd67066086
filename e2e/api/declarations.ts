import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

// Reads declaration files as the compiler writes them, by their lines: a statement begins in the first column, and its
// docstring stands right before it. That is all that is needed of the language, so no compiler's API is.

/** One exported thing. */
export interface Declaration {
  readonly name: string
  /** The lines of its docstring, without the comment's signs. */
  readonly docs: readonly string[]
  /** As TypeScript. */
  readonly code: string
}

/** A name as it stands in a file: declared there, or brought from another. */
type Name =
  | { readonly kind: 'declared'; readonly declaration: Declaration }
  | { readonly kind: 'brought'; readonly from: string; readonly name: string }

interface Module {
  readonly exported: ReadonlyMap<string, string>
  readonly names: ReadonlyMap<string, Name>
}

const DECLARED =
  /^(export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const|enum|let) ([\w$]+)/
const LIST = /^(import|export)(?: type)? \{([^}]*)\}(?: from ['"]([^'"]+)['"])?;?$/s

/** The exports of a declaration file, wherever they are declared, by name. @throws Error where one is not found */
export function exportsOf(file: string): Declaration[] {
  const names = [...moduleOf(file).exported.keys()]
  return names.toSorted((a, b) => a.localeCompare(b, 'en')).map((name) => find(file, name))
}

function find(file: string, exportName: string): Declaration {
  const { exported, names } = moduleOf(file)
  const found = names.get(exported.get(exportName) ?? exportName)
  if (found === undefined) throw new Error(`${file} does not say what ${exportName} is.`)
  if (found.kind === 'declared') return { ...found.declaration, name: exportName }
  if (!found.from.startsWith('.'))
    return {
      name: exportName,
      docs: [],
      code: `export type { ${found.name} } from '${found.from}'`,
    }
  const target = join(dirname(file), found.from).replace(/\.(js|ts)$/, '.d.ts')
  return { ...find(target, found.name), name: exportName }
}

const modules = new Map<string, Module>()

function moduleOf(file: string): Module {
  const known = modules.get(file)
  if (known) return known
  const exported = new Map<string, string>()
  const names = new Map<string, Name>()
  for (const { docs, code } of statementsOf(readFileSync(file, 'utf8'))) {
    const list = LIST.exec(code)
    if (list) {
      const [, word, inside = '', from] = list
      for (const [original, given] of namesIn(inside)) {
        const local = word === 'export' && from !== undefined ? `${from}/${original}` : given
        if (from !== undefined) names.set(local, { kind: 'brought', from, name: original })
        if (word === 'export') exported.set(given, from === undefined ? original : local)
      }
      continue
    }
    const [, isExported, name] = DECLARED.exec(code) ?? []
    if (name === undefined) continue
    const before = names.get(name)
    // An overload goes on with what was said before it.
    const whole = before?.kind === 'declared' ? `${before.declaration.code}\n${code}` : code
    const said = before?.kind === 'declared' && docs.length === 0 ? before.declaration.docs : docs
    names.set(name, { kind: 'declared', declaration: { name, docs: said, code: whole } })
    if (isExported) exported.set(name, name)
  }
  const made = { exported, names }
  modules.set(file, made)
  return made
}

/** `A, type B, C as D` as pairs of the original name and the one given. */
function namesIn(list: string): [string, string][] {
  return list
    .split(',')
    .map((item) => item.trim().replace(/^type /, ''))
    .filter((item) => item !== '')
    .map((item) => {
      const [original = '', given = original] = item.split(' as ')
      return [original, given]
    })
}

function statementsOf(text: string): { docs: string[]; code: string }[] {
  const statements: { docs: string[]; code: string }[] = []
  let [docs, code, inComment]: [string[], string[], boolean] = [[], [], false]
  for (const line of text.split('\n')) {
    if (code.length === 0 && (inComment || line.startsWith('/**'))) {
      if (!inComment) docs = []
      docs.push(line.replace(/^\/\*\* ?|^ \*(?!\/) ?/g, '').replace(/ ?\*\/$/, ''))
      inComment = !line.endsWith('*/')
      continue
    }
    if (code.length === 0 && (line === '' || line.startsWith('//'))) continue
    code.push(line)
    const whole = code.join('\n')
    if (!isComplete(whole)) continue
    statements.push({ docs: docs.filter((each, at) => each.trim() !== '' || at > 0), code: whole })
    docs = []
    code = []
  }
  return statements
}

/** Every bracket is closed, and the statement's end is there. */
function isComplete(code: string): boolean {
  const bare = code.replace(/\/\*.*?\*\/|'[^'\n]*'|"[^"\n]*"/gs, '').replace(/=>/g, '')
  const opened = bare.match(/[{([<]/g)?.length ?? 0
  const closed = bare.match(/[})\]>]/g)?.length ?? 0
  if (opened !== closed) return false
  return /^(export )?(declare )?(abstract )?(interface|class|enum) /.test(code) || /;\s*$/.test(bare)
}
