import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from '@playwright/test'

/** Names under which Chromium, Chrome and Edge are installed. */
const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge']
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
]

/**
 * A full Chromium: `$CHROME_PATH`, an installed one, Playwright's own, or else one that is installed now.
 * Playwright's `headless_shell` does not count: it has Background Sync switched off.
 *
 * @throws Error that says how to get one
 */
export function findChromium(log: (line: string) => void = console.log): string {
  return present() ?? install(log)
}

function present(): string | undefined {
  const named = process.env['CHROME_PATH']
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return named
    throw new Error(`CHROME_PATH names ${named}, which does not exist. Correct it, or leave it out.`)
  }
  const onPath = COMMANDS.flatMap((command) =>
    (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, command)),
  )
  return [...onPath, ...APPLICATIONS, chromium.executablePath()].find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function install(log: (line: string) => void): string {
  log('No Chromium here: asking Playwright for one.')
  run('npx', ['playwright', 'install', 'chromium'])
  const playwrights = present()
  if (playwrights !== undefined) return playwrights

  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    log('None there: installing the one of the system.')
    run('apt-get', ['update', '-qq'])
    run('apt-get', ['install', '-y', '-qq', 'chromium'])
    const systems = present()
    if (systems !== undefined) return systems
  }
  throw new Error(
    'No Chromium was found or could be installed. Install Chrome or Chromium, or set CHROME_PATH.',
  )
}

const run = (command: string, args: string[]) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 300_000 })
