import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../driver/find-chromium.ts'

/** On what something was measured, in words. */
export function machine(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: repositoryRoot(),
    encoding: 'utf8',
  }).trim()
  const browser = execFileSync(
    findChromium(() => undefined),
    ['--version'],
    { encoding: 'utf8' },
  ).trim()
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return `${browser}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, load ${load}, commit ${commit}`
}
