import { byId } from './dom.ts'
import { setHidden } from './focus.ts'

/** Chromium's; elsewhere a person installs by the browser's own menu. */
interface InstallPrompt extends Event {
  prompt(): Promise<unknown>
}

/** Offers to install the app where the browser would: beside the words that say why. */
export function offerInstall(): void {
  const install = byId('install', HTMLButtonElement)
  let offered: InstallPrompt | undefined
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault()
    offered = event as InstallPrompt
    install.hidden = false
  })
  install.addEventListener('click', () => {
    setHidden(install, true)
    // Asked once; the browser tells again when it may be asked again.
    void offered?.prompt().catch(() => undefined)
  })
}
