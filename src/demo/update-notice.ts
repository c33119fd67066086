import { byId } from './dom.ts'

/** Says quietly that a new worker waits. It is never hurried: it takes over once no tab needs the old one. */
export function watchForUpdate(): void {
  const show = ({ waiting }: ServiceWorkerRegistration) => {
    byId('update', HTMLElement).hidden = waiting === null
  }
  void navigator.serviceWorker.ready.then((registration) => {
    show(registration)
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', () => show(registration))
    })
  })
}
