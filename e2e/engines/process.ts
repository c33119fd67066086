import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Running } from './engine.ts'

/** Starts a program in a process group of its own, so that one signal ends all of it. */
export function startGroup(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running & { readonly child: ChildProcess } {
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  const exited = once(child, 'exit')
  const end = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  process.once('exit', end)
  return {
    child,
    async kill() {
      end()
      await exited
      process.off('exit', end)
    },
  }
}

/** The first line of what `command --version` prints; undefined where there is no such command. */
export function versionOf(command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim().split('\n')[0] : undefined
}
