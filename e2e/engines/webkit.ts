import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Engine } from './engine.ts'
import { startGroup } from './process.ts'

/** Under these, Debian, Fedora and Arch keep WebKitGTK's own browser. */
const LIBRARIES = ['/usr/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/libexec']

function installed(): string | undefined {
  const named = process.env['WEBKIT_PATH']
  if (named !== undefined && existsSync(named)) return named
  const folders = LIBRARIES.filter((library) => existsSync(library)).flatMap((library) =>
    readdirSync(library)
      .filter((name) => name.startsWith('webkit2gtk-'))
      .map((name) => join(library, name, 'MiniBrowser')),
  )
  return folders.find((file) => existsSync(file))
}

/** `$WEBKIT_PATH`, or an installed MiniBrowser of WebKitGTK: WebKit, but not Safari. It needs Xvfb. */
export function webkitEngine(): Engine {
  const command = installed()
  const hasScreen = spawnSync('Xvfb', ['-version']).error === undefined
  return {
    name: 'WebKit',
    // It would need a screen to say its version.
    found: command && hasScreen ? `WebKitGTK, ${command}` : undefined,
    async start(profile, url) {
      if (command === undefined) throw new Error('No WebKitGTK MiniBrowser is installed.')
      const screen = startGroup('Xvfb', ['-displayfd', '3', '-screen', '0', '800x600x24', '-nolisten', 'tcp'])
      const [number] = (await once(screen.child.stdio[3] as Readable, 'data')) as [Buffer]
      const browser = startGroup(
        command,
        [
          '--features=+StorageAPI,+StorageAPIEstimate',
          '--javascript-can-open-windows-automatically=true',
          url,
        ],
        {
          DISPLAY: `:${number.toString().trim()}`,
          XDG_DATA_HOME: join(profile, 'data'),
          XDG_CACHE_HOME: join(profile, 'cache'),
          XDG_CONFIG_HOME: join(profile, 'config'),
          WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
          WEBKIT_DISABLE_DMABUF_RENDERER: '1',
        },
      )
      return {
        async kill() {
          await browser.kill()
          await screen.kill()
        },
      }
    },
    expected: { payloadForm: 'buffer', backgroundWakes: { kind: 'none' } },
  }
}
