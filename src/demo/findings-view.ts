import { h } from './dom.ts'
import { icon, type IconName } from './icon.ts'
import type { Finding } from './reading-report.ts'

const ICONS: Readonly<Record<Finding['tone'], IconName>> = { good: 'check', wait: 'alert', alert: 'alert' }

/** What a reading found, one notice each. */
export const findingsView = (findings: readonly Finding[]): HTMLElement =>
  h('ul', { class: 'findings', 'data-testid': 'findings' }, ...findings.map(notice))

function notice({ about, tone, words, detail, code, index }: Finding): HTMLElement {
  const attributes = {
    class: `notice notice-${tone}`,
    'data-testid': about === 'bad' ? 'verify-error' : `verify-${about}`,
    'data-code': code,
    'data-index': index,
  }
  return h('li', attributes, icon(ICONS[tone]), h('p', {}, words, detail && h('small', {}, detail)))
}
