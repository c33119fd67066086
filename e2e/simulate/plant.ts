import { fileURLToPath } from 'node:url'
import { SHOWN_APART, SOURCE_MUTATIONS, type Edit } from './source-mutations.ts'

const root = fileURLToPath(new URL('../../', import.meta.url)).replaceAll('\\', '/')

/** Where the name of the mutation that is switched on is kept. */
export const SWITCH = 'holdfastMutation'

/** A plugin of Vite that plants every source mutation, each behind the switch: while it is off, the engine is as it was. */
export const plantMutations = () => ({
  name: 'plant-mutations',
  enforce: 'pre' as const,
  transform(code: string, id: string) {
    const file = id.replaceAll('\\', '/').slice(root.length)
    let planted = code
    for (const { name, edits } of [...SOURCE_MUTATIONS, ...SHOWN_APART])
      for (const edit of edits) if (edit.file === file) planted = withEdit(planted, edit, name)
    return planted === code ? undefined : { code: planted, map: null }
  },
})

function withEdit(code: string, { file, from, to }: Edit, name: string): string {
  const parts = code.split(from)
  if (parts.length !== 2) throw new Error(`${name}: "${from}" is ${parts.length - 1} times in ${file}.`)
  const isOn = `globalThis.${SWITCH} === ${JSON.stringify(name)}`
  const switched = from.startsWith('if (')
    ? `if (${isOn}) { ${to} } else { ${from} }`
    : `(${isOn} ? (${to}) : (${from}))`
  return parts.join(switched)
}
