import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext } from '@playwright/test'

export interface LaunchOptions {
  readonly executable: string
  /** Kept between launches: what survives a kill is in here. */
  readonly profile: string
  /**
   * Without a debugger a worker lives and dies as it does for a user. `later`: it has none until `attach` is called.
   * Default: true.
   */
  readonly debuggable?: boolean | 'later'
  readonly url?: string
  readonly args?: readonly string[]
  /** Told what it says on its standard error. */
  readonly onSaid?: (said: Buffer) => void
}

/** A Chromium that was started as a process of ours, so that it can be killed as one. */
export interface RealBrowser {
  readonly pid: number
  readonly profile: string
  /** Playwright's view of it, once it is attached. */
  readonly context: BrowserContext
  /** Whether it has a `context`. */
  readonly debuggable: boolean
  /**
   * The debugger comes, if it is not there yet.
   *
   * @throws Error it was started without one for good
   */
  attach(): Promise<BrowserContext>
  /** SIGKILL to the browser and all its children at once. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** It prepares a page for its address bar, which takes longer than all else that it does at its start. */
const NO_ADDRESS_BAR = '--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup'

const QUIET = [
  NO_ADDRESS_BAR,
  '--headless=new',
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  '--mute-audio',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
]

/** What a killed browser leaves behind, and a new one would take for a running one. */
const SINGLETONS = ['SingletonLock', 'SingletonCookie', 'SingletonSocket', 'DevToolsActivePort']

/** Starts Chromium on a profile. */
export async function launchBrowser(options: LaunchOptions): Promise<RealBrowser> {
  const { executable, profile, debuggable = true, url = 'about:blank', args = [], onSaid } = options
  await mkdir(profile, { recursive: true })
  await Promise.all(SINGLETONS.map((name) => rm(join(profile, name), { force: true })))
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const debugging = debuggable !== false ? ['--remote-debugging-port=0'] : []
  const child = spawn(
    executable,
    [...QUIET, ...asRoot, ...debugging, ...args, `--user-data-dir=${profile}`, url],
    {
      // A process group of its own: one signal reaches the renderers too.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  if (onSaid) child.stderr?.on('data', onSaid)
  const exited = once(child, 'exit')
  const kill = async () => {
    signalGroup(child, 'SIGKILL')
    await exited
  }
  const killWithUs = () => signalGroup(child, 'SIGKILL')
  process.once('exit', killWithUs)
  void exited.then(() => process.off('exit', killWithUs))

  const endpoint = debuggable === false ? undefined : await debuggerUrl(child)
  child.stderr?.resume()
  let browser: Browser | undefined

  const real: RealBrowser = {
    pid: child.pid ?? 0,
    profile,
    get context() {
      const context = browser?.contexts()[0]
      if (context === undefined) throw new Error('This browser runs without a debugger.')
      return context
    },
    get debuggable() {
      return browser !== undefined
    },
    async attach() {
      if (endpoint !== undefined) browser ??= await chromium.connectOverCDP(endpoint)
      return real.context
    },
    kill,
    async close() {
      if (browser === undefined || !browser.isConnected()) return kill()
      const session = await browser.newBrowserCDPSession()
      await session.send('Browser.close').catch(() => undefined)
      await exited
    },
  }
  if (debuggable === true) await real.attach()
  return real
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended by itself.
  }
}

/** The address that Chromium announces on its standard error. */
function debuggerUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString()
      const url = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('exit', (code) =>
      reject(new Error(`Chromium ended with ${code} before it listened:\n${said}`)),
    )
  })
}
