import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { dieWithUs } from '../backend/die-with-us.ts'

/** Where Debian has daemons, which is not in everybody's path. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

const pathOf = (program: string) =>
  FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path))

/** Which of these programs are not installed here. */
export const missingOf = (programs: readonly string[]) =>
  programs.filter((program) => pathOf(program) === undefined)

/** What a program that ends by itself printed. */
export const run = (program: string, ...args: readonly string[]) =>
  execFileSync(pathOf(program) ?? program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** A program that runs until it is told not to, or until this process ends. */
export interface Daemon {
  /** SIGKILL, by id; resolves once the process is gone. */
  kill(): Promise<void>
}

/**
 * Starts a daemon in the foreground and waits until it can be used.
 *
 * @param isUp asked again until it resolves
 * @throws with what it printed, if it ends before
 */
export async function startDaemon(
  program: string,
  args: readonly string[],
  isUp: () => Promise<unknown>,
): Promise<Daemon> {
  const child = spawn(pathOf(program) ?? program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2000)))
  const ended = once(child, 'exit')
  void ended.then(dieWithUs(child))
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program}: ${complaint}`)
    const up = await isUp().then(
      () => true,
      () => false,
    )
    if (up) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
