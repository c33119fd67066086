import { spawn, type ChildProcess } from 'node:child_process'

/**
 * End the child when this process ends, however that happens.
 *
 * An exit handler does not run after SIGKILL, so a shell waits for the end of a pipe that only we hold open.
 */
export function dieWithUs(child: ChildProcess): () => void {
  const killChild = () => child.kill('SIGKILL')
  process.once('exit', killChild)
  const guardian =
    process.platform === 'win32' || child.pid === undefined
      ? undefined
      : spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0" 2>/dev/null', String(child.pid)], {
          stdio: ['pipe', 'ignore', 'ignore'],
          detached: true,
        })
  guardian?.on('error', () => undefined)
  guardian?.stdin?.on('error', () => undefined)
  return () => {
    process.off('exit', killChild)
    guardian?.kill('SIGKILL')
  }
}
