import { readdir, readFile } from 'node:fs/promises'

/** What the processes of a browser take, bytes: the proportional set size, in which what is shared counts once. */
export interface Memory {
  /** Page and worker. */
  readonly renderers: number
  /** With the browser itself, which holds blobs and databases. */
  readonly all: number
}

/** Of a browser that leads a process group of its own; Linux alone tells it. */
export async function memoryOf(pid: number): Promise<Memory> {
  let [renderers, all] = [0, 0]
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8')
      const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(group) !== pid) continue
      const rollup = await readFile(`/proc/${name}/smaps_rollup`, 'utf8')
      const bytes = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024
      const command = await readFile(`/proc/${name}/cmdline`, 'utf8')
      // Chromium's own interface, which it loads when it likes: none of it is a page's.
      if (command.includes('--top-chrome-webui')) continue
      all += bytes
      if (command.includes('--type=renderer')) renderers += bytes
    } catch {
      // It has ended meanwhile.
    }
  }
  return { renderers, all }
}
