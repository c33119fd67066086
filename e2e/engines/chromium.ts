import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser } from '../driver/real-browser.ts'
import type { Engine } from './engine.ts'
import { versionOf } from './process.ts'

/** The Chromium that the other tests use. */
export function chromiumEngine(): Engine {
  const executable = findChromium()
  return {
    name: 'Chromium',
    found: versionOf(executable),
    start: (profile, url) =>
      launchBrowser({ executable, profile, url, debuggable: false, args: ['--disable-popup-blocking'] }),
    expected: { payloadForm: 'blob', backgroundWakes: { kind: 'background-sync' } },
  }
}
