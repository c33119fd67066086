import { parseSync, type ESTree } from 'vite'

/** Names that a block, a function or a module declares. */
type Scope = Set<string>

/** The global object, by each of its names. */
const GLOBAL_OBJECTS: ReadonlySet<string> = new Set(['globalThis', 'self', 'window'])
/** Calls whose result is an iterator: what is called on that is an iterator helper. */
const ITERATORS: ReadonlySet<string> = new Set(['values', 'keys', 'entries', 'matchAll'])
const HELPERS: ReadonlySet<string> = new Set([
  'map',
  'filter',
  'take',
  'drop',
  'flatMap',
  'reduce',
  'toArray',
  'some',
])

/**
 * What a module asks of the browser:
 * - `Name`, `Name.member`, `name.member`: a global and what is asked of it by name
 * - `.member`, `.member()`: what is read or called of anything else, our own objects too
 * - `syntax …`, `option …`: syntax younger than ES2019, and options that older browsers do not know
 *
 * What is called by `?.()` is left out: it is asked for before use.
 */
export function featuresOf(code: string): ReadonlySet<string> {
  const { program, errors } = parseSync('built.js', code, { sourceType: 'module', preserveParens: false })
  if (errors.length > 0) throw new Error(`What was built cannot be parsed: ${errors[0]?.message}`)
  const found = new Set<string>()
  visit(program, [], [])
  return found

  function visit(node: ESTree.Node, parents: readonly ESTree.Node[], outer: readonly Scope[]): void {
    const scopes = opensScope(node) ? [...outer, declaredIn(node)] : outer
    const isGlobal = (name: string) => !scopes.some((scope) => scope.has(name))
    for (const feature of [...syntaxOf(node), ...optionsOf(node), ...namesOf(node, parents, isGlobal)])
      found.add(feature)
    for (const child of childrenOf(node)) visit(child, [node, ...parents], scopes)
  }
}

function* namesOf(
  node: ESTree.Node,
  parents: readonly ESTree.Node[],
  isGlobal: (name: string) => boolean,
): Generator<string> {
  const [parent] = parents
  if (node.type === 'Identifier' && isReference(node, parent) && isGlobal(node.name)) {
    if (!GLOBAL_OBJECTS.has(node.name)) yield node.name
  } else if (node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier') {
    const call = parent?.type === 'CallExpression' && parent.callee === node ? parent : undefined
    if (call?.optional) return
    const { name } = node.property
    const { object } = node
    if (object.type === 'Identifier' && isGlobal(object.name)) yield ofGlobal(object.name, name)
    else yield call ? `.${name}()` : `.${name}`
    if (call && HELPERS.has(name) && isIterator(object, isGlobal)) yield `Iterator.${name}`
  } else if (node.type === 'VariableDeclarator' && node.id.type === 'ObjectPattern') {
    const from = node.init?.type === 'Identifier' && isGlobal(node.init.name) ? node.init.name : undefined
    for (const property of node.id.properties)
      if (property.type === 'Property' && property.key.type === 'Identifier')
        yield from === undefined ? `.${property.key.name}` : ofGlobal(from, property.key.name)
  }
}

const ofGlobal = (object: string, name: string) => (GLOBAL_OBJECTS.has(object) ? name : `${object}.${name}`)

function isIterator(node: ESTree.Node, isGlobal: (name: string) => boolean): boolean {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return false
  const { object, property } = node.callee
  const isStatic = object.type === 'Identifier' && isGlobal(object.name)
  return !isStatic && property.type === 'Identifier' && ITERATORS.has(property.name)
}

/** Whether an identifier stands for a variable, rather than for a member, a key or a label. */
function isReference(node: ESTree.Node, parent: ESTree.Node | undefined): boolean {
  switch (parent?.type) {
    case 'MemberExpression':
      return parent.object === node || parent.computed
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.key !== node || parent.computed
    case 'MetaProperty':
    case 'ImportSpecifier':
    case 'ExportSpecifier':
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return false
    default:
      return true
  }
}

/** Younger than ES2019, by what the compatibility data calls it. */
function* syntaxOf(node: ESTree.Node): Generator<string> {
  switch (node.type) {
    case 'ChainExpression':
      return yield 'syntax a?.b'
    case 'LogicalExpression':
      return node.operator === '??' ? yield 'syntax a ?? b' : undefined
    case 'AssignmentExpression':
      return ['??=', '||=', '&&='].includes(node.operator) ? yield 'syntax a ??= b' : undefined
    case 'ImportExpression':
      return yield 'syntax import()'
    case 'PropertyDefinition':
      if (node.static) yield 'syntax static field'
      return yield node.key.type === 'PrivateIdentifier' ? 'syntax #field' : 'syntax class field'
    case 'MethodDefinition':
      return node.key.type === 'PrivateIdentifier' ? yield 'syntax #method()' : undefined
    case 'StaticBlock':
      return yield 'syntax static {}'
    case 'Literal':
      if ('bigint' in node) yield 'syntax 1n'
      if ('regex' in node) yield* regexSyntaxOf(node.regex)
      if (typeof node.value === 'number' && node.raw?.includes('_')) yield 'syntax 1_000'
      return
    case 'AwaitExpression':
      return
    case 'BinaryExpression':
      return node.left.type === 'PrivateIdentifier' ? yield 'syntax #field in a' : undefined
    case 'Program':
      if (awaitsAtTopLevel(node)) yield 'syntax top-level await'
  }
}

function* regexSyntaxOf({ pattern, flags }: { pattern: string; flags: string }): Generator<string> {
  if (/\(\?<[=!]/.test(pattern)) yield 'syntax (?<=a)'
  if (/\(\?[ims-]+:/.test(pattern)) yield 'syntax (?i:a)'
  for (const flag of ['d', 'v']) if (flags.includes(flag)) yield `syntax /a/${flag}`
}

const awaitsAtTopLevel = (node: ESTree.Node): boolean =>
  node.type === 'AwaitExpression' ||
  (node.type === 'ForOfStatement' && node.await) ||
  childrenOf(node).some((child) => !isFunction(child) && awaitsAtTopLevel(child))

/** Of options the few that are known to matter: nothing tells them from any other object. */
function* optionsOf(node: ESTree.Node): Generator<string> {
  if (node.type === 'Literal' && node.value === 'module') yield 'option module worker'
  if (node.type !== 'CallExpression') return
  const { callee } = node
  const name =
    callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
      ? callee.property.name
      : callee.type === 'Identifier'
        ? callee.name
        : ''
  const keys = node.arguments.flatMap((argument) =>
    argument.type === 'ObjectExpression' ? argument.properties : [],
  )
  const names = keys.map((key) =>
    key.type === 'Property' && key.key.type === 'Identifier' ? key.key.name : '',
  )
  if (name === 'addEventListener' && names.includes('signal')) yield 'option addEventListener(…, { signal })'
  if (name === 'abort' && node.arguments.length > 0) yield 'option abort(reason)'
}

const isFunction = (node: ESTree.Node) =>
  ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(node.type)

const BLOCKS: ReadonlySet<string> = new Set([
  'BlockStatement',
  'CatchClause',
  'StaticBlock',
  'SwitchStatement',
])

const opensScope = (node: ESTree.Node) =>
  node.type === 'Program' ||
  node.type.startsWith('Class') ||
  node.type.startsWith('For') ||
  BLOCKS.has(node.type) ||
  isFunction(node)

/** The names of a scope: its parameters, and what is declared in it but not in a scope below; a `var` below too. */
function declaredIn(scope: ESTree.Node): Scope {
  const names = new Set<string>()
  if ('id' in scope && scope.id?.type === 'Identifier') names.add(scope.id.name)
  if ('params' in scope && Array.isArray(scope.params))
    for (const parameter of scope.params) for (const name of namesIn(parameter)) names.add(name)
  if (scope.type === 'CatchClause' && scope.param) for (const name of namesIn(scope.param)) names.add(name)
  for (const child of childrenOf(scope)) collect(child, true)
  return names

  function collect(node: ESTree.Node, isDirect: boolean): void {
    if (node.type === 'VariableDeclaration' && (isDirect || node.kind === 'var'))
      for (const { id } of node.declarations) for (const name of namesIn(id)) names.add(name)
    if (isDirect && (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id)
      names.add(node.id.name)
    if (node.type.startsWith('Import') && 'local' in node) for (const name of namesIn(node)) names.add(name)
    if (isFunction(node)) return
    for (const child of childrenOf(node)) collect(child, isDirect && !opensScope(node))
  }
}

/** The names that a pattern binds. */
function namesIn(pattern: ESTree.Node): readonly string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name]
    case 'Property':
      return namesIn(pattern.value)
    case 'AssignmentPattern':
      return namesIn(pattern.left)
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
      return [pattern.local.name]
    default:
      return childrenOf(pattern).flatMap(namesIn)
  }
}

const childrenOf = (node: ESTree.Node): readonly ESTree.Node[] =>
  Object.values(node)
    .flat()
    .filter((value): value is ESTree.Node => typeof value?.type === 'string')
