import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import {
  parseKey,
  parseLink,
  type ChainNodes,
  type OpenSessionOptions,
  type SessionLink,
} from '../verify/index.ts'
import { carFile, folder } from './sources.ts'

export const HELP = `Reads a recording back from the chain and the store, and checks every step of it.

  npx holdfast read <link> --out video.webm

  <link>             a link to a recording, or its name (64 hex digits)
  --out FILE         where the recording is written: only what is proved, in order. Without it all is only checked
  --force            replaces FILE
  --key KEY          the group's private key: 43 characters, or 64 hex digits; or @FILE, which has it in a line.
                     Without it HOLDFAST_KEY of the environment, or the link's
  --node URL         a node of the chain, several times for several nodes
  --registry 0x…     the registry's address
  --head CID         the address of its newest head at the store, where there is no chain: then nothing says when it was
                     made but the device. Or “newest”: what the gateway has under the session's name
  --gateway URL      an IPFS gateway, several times for several gateways, which are raced
  --folder DIR       a folder in which each object is a file named by its address
  --car FILE         a CAR file (version 1)
  --verdicts         a line on standard output for each chunk: index, verdict, bytes, when it was captured by the
                     device's clock, and the time before which it existed by the chain's
  --help

What is given here takes the place of what the link says.

Ends with 0: the recording is whole. 1: a part of it is proved, or it has no end yet. 2: it is broken: nothing is
proved. 3: it could not be looked at: a wrong argument, a node or gateways that are silent, a file that is there; or it was stopped.
`

export interface ReadOptions {
  readonly open: OpenSessionOptions
  readonly out: string | undefined
  readonly force: boolean
  readonly verdicts: boolean
}

/**
 * @returns undefined where help is asked for
 * @throws Error that says which argument is wrong
 */
export async function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadOptions | undefined> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      force: { type: 'boolean', default: false },
      key: { type: 'string' },
      node: { type: 'string', multiple: true },
      registry: { type: 'string' },
      head: { type: 'string' },
      gateway: { type: 'string', multiple: true },
      folder: { type: 'string', multiple: true, default: [] },
      car: { type: 'string', multiple: true, default: [] },
      verdicts: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [command, text, ...more] = positionals
  if (values.help || command === undefined) return undefined
  if (command !== 'read') throw new Error(`There is no command “${command}”: read`)
  if (text === undefined || more.length > 0) throw new Error('read takes one link')
  const link = parseLink(text)
  // An empty variable is how a shell says that there is none.
  const key = values.key ?? (env['HOLDFAST_KEY'] || undefined)
  const groupKey = key === undefined ? link.groupKey : parseKey(await keyOf(key))
  if (!groupKey) throw new Error('Without the key of its group nobody can read a recording: --key')
  const beginning = beginningOf(link, values)
  const sources = [...values.folder.map(folder), ...values.car.map(carFile)]
  const gateway = values.gateway ?? link.gateways
  if (gateway.length + sources.length === 0) throw new Error('The link names no gateway: --gateway')
  return {
    open: { ...beginning, name: link.name, gateway, sources, groupKey },
    out: values.out,
    force: values.force,
    verdicts: values.verdicts,
  }
}

/** A chain says more than a head alone. */
function beginningOf(
  link: SessionLink,
  given: { readonly node?: string[]; readonly registry?: string; readonly head?: string },
): { readonly chain: ChainNodes } | { readonly head: string } {
  const rpcUrls = given.node ?? (given.head === undefined ? link.rpcUrls : [])
  const head = given.head ?? link.head
  if (rpcUrls.length === 0 && head !== undefined) return { head }
  if (rpcUrls.length === 0) throw new Error('The link names no node of the chain, and no head: --node')
  const registry = given.registry ?? link.registry
  if (registry === undefined) throw new Error('The link names no registry: --registry')
  return { chain: { rpcUrls, registry } }
}

/** A key file may have more lines: the one with `Key:` counts. */
async function keyOf(given: string): Promise<string> {
  if (!given.startsWith('@')) return given
  const text = await readFile(given.slice(1), 'utf8')
  return /^Key: (\S+)\s*$/m.exec(text)?.[1] ?? text
}
