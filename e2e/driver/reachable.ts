import type { WorkerSession } from './worker-control.ts'

/** A debugger's session with a page or a worker. */
export type Inspected = Pick<WorkerSession, 'send' | 'on'>

/** All that a script of a page or a worker could still reach, once its garbage is collected. */
export interface Reachable {
  /**
   * The length of every typed array and ArrayBuffer. Their bytes cannot be asked for: Chromium shows a debugger no object
   * with room for a wrapper that has none.
   */
  readonly lengths: readonly number[]
  /** The bytes of every Blob, of every array of numbers from 0 to 255, and of those buffers that can be asked for. */
  readonly bytes: readonly Buffer[]
  /** Every string of the heap: a string can hold a key as hex, in Base64, or byte by byte. */
  readonly strings: readonly string[]
  /** Algorithm, type and usages of every `CryptoKey`. */
  readonly keys: readonly string[]
}

export async function reachable(inspected: Inspected): Promise<Reachable> {
  // Before the snapshot: what these calls leave is searched too.
  const bytes: Buffer[] = []
  for (const prototype of HAVE_BYTES)
    for (const base64 of await each<string>(inspected, prototype, BYTES_OF))
      bytes.push(Buffer.from(base64, 'base64'))
  const keys = await each<string>(inspected, 'CryptoKey.prototype', WORDS_OF)
  const snapshot = await heapSnapshot(inspected)
  return { bytes, keys, strings: snapshot.strings, lengths: lengthsIn(snapshot) }
}

const HAVE_BYTES = [
  'ArrayBuffer.prototype',
  'Object.getPrototypeOf(Uint8Array.prototype)',
  'Blob.prototype',
  'Array.prototype',
]

/** Runs in the target, over what was found there: Base64 of all that has bytes. */
const BYTES_OF = `async function () {
  const isByte = (value) => Number.isInteger(value) && value >= 0 && value < 256
  const found = await Promise.all(this.map(async (one) => {
    if (Array.isArray(one)) return one.length > 15 && one.every(isByte) ? Uint8Array.from(one) : undefined
    try {
      if (one instanceof Blob) return new Uint8Array(await one.arrayBuffer())
      return one instanceof ArrayBuffer ? new Uint8Array(one) : new Uint8Array(one.buffer, one.byteOffset, one.byteLength)
    } catch { return undefined }
  }))
  return found.filter((bytes) => bytes && bytes.length > 15).map((bytes) => {
    let text = ''
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768))
    return btoa(text)
  })
}`

const WORDS_OF = `function () {
  return this.map(({ algorithm, type, usages }) => [algorithm.name, type, ...usages].join(' '))
}`

interface Remote {
  readonly objectId: string
}

/** What this says of all objects that have this prototype and can be reached: Chromium collects its garbage first. */
async function each<T>(inspected: Inspected, expression: string, says: string): Promise<T[]> {
  const group = { objectGroup: 'reachable' }
  const prototype = (await inspected.send('Runtime.evaluate', { expression, ...group })) as { result: Remote }
  const found = (await inspected.send('Runtime.queryObjects', {
    prototypeObjectId: prototype.result.objectId,
    ...group,
  })) as { objects: Remote }
  const said = (await inspected.send('Runtime.callFunctionOn', {
    functionDeclaration: says,
    objectId: found.objects.objectId,
    returnByValue: true,
    awaitPromise: true,
  })) as { result: { value: T[] }; exceptionDetails?: { text: string } }
  await inspected.send('Runtime.releaseObjectGroup', group)
  if (said.exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(said.exceptionDetails)}`)
  return said.result.value
}

/** As DevTools has it: https://chromium.googlesource.com/v8/v8/+/main/src/profiler/heap-snapshot-generator.cc */
interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[]
      readonly edge_fields: readonly string[]
    }
  }
  readonly nodes: readonly number[]
  readonly edges: readonly number[]
  readonly strings: readonly string[]
}

async function heapSnapshot(inspected: Inspected): Promise<HeapSnapshot> {
  const pieces: string[] = []
  let isOver = false
  inspected.on('HeapProfiler.addHeapSnapshotChunk', (params) => {
    if (!isOver) pieces.push((params as { chunk: string }).chunk)
  })
  await inspected.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
  isOver = true
  return JSON.parse(pieces.join('')) as HeapSnapshot
}

const TYPED_ARRAY = /^(Big)?(Uint|Int|Float)\d+(Clamped)?Array$/
/** A small typed array has its bytes in the heap, after its map and its length. */
const ELEMENTS = '(object elements)'
const ELEMENTS_HEADER_BYTES = 8
const BUFFER = 'system / JSArrayBufferData'

function lengthsIn({ snapshot: { meta }, nodes, edges, strings }: HeapSnapshot): number[] {
  const node = (field: string) => meta.node_fields.indexOf(field)
  const [nameAt, sizeAt, edgesAt] = [node('name'), node('self_size'), node('edge_count')]
  const toAt = meta.edge_fields.indexOf('to_node')
  const nameOf = (at: number) => strings[nodes[at + nameAt]!]!
  const lengths: number[] = []
  let edge = 0
  for (let at = 0; at < nodes.length; at += meta.node_fields.length) {
    const own = new Set<number>()
    for (let left = nodes[at + edgesAt]!; left > 0; left--, edge += meta.edge_fields.length)
      own.add(edges[edge + toAt]!)
    if (nameOf(at) === BUFFER && nodes[at + sizeAt]! > 0) lengths.push(nodes[at + sizeAt]!)
    if (!TYPED_ARRAY.test(nameOf(at))) continue
    for (const to of own)
      if (nameOf(to) === ELEMENTS) lengths.push(nodes[to + sizeAt]! - ELEMENTS_HEADER_BYTES)
  }
  return lengths.sort((a, b) => a - b)
}
