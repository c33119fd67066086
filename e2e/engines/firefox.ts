import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { startGroup, versionOf } from './process.ts'

const PREFERENCES = {
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.disable_open_during_load': false,
  'dom.security.https_only_mode': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.startup.max_resumed_crashes': -1,
}

/** `$FIREFOX_PATH`, or an installed Firefox. */
export function firefoxEngine(): Engine {
  const named = process.env['FIREFOX_PATH']
  const command = [named ?? '', 'firefox-esr', 'firefox'].find(
    (candidate) => candidate !== '' && versionOf(candidate) !== undefined,
  )
  return {
    name: 'Firefox',
    found: command && versionOf(command),
    async start(profile, url) {
      if (command === undefined) throw new Error('No Firefox is installed.')
      await mkdir(profile, { recursive: true })
      const lines = Object.entries(PREFERENCES).map(
        ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
      )
      await writeFile(join(profile, 'user.js'), lines.join(''))
      return startGroup(command, ['--headless', '--no-remote', '--profile', profile, url])
    },
    expected: { payloadForm: 'buffer', backgroundWakes: { kind: 'none' } },
  }
}
