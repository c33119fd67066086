import type { Holdfast } from '../api.ts'
import { POLICIES, type Policy, type PolicyView } from '../protocol/snapshot.ts'
import { byId, setText } from './dom.ts'
import { explain, type Explanation } from './explain.ts'

/** What a person is told while uploads are suspended; empty while they are not. */
export function policyWords({ policy, metered }: PolicyView): string {
  if (policy === 'paused')
    return 'Uploads are paused. Recordings stay on this device alone until you let them go.'
  if (policy === 'unmetered' && metered)
    return 'Waiting for Wi-Fi. Recordings stay on this device alone until then.'
  return ''
}

/** Lets a person choose when recordings are uploaded. */
export function showPolicyPicker(
  holdfast: Holdfast,
  onFailure: (explanation: Explanation) => void,
  onPolicy: (view: PolicyView) => void,
): { set(policy: Policy): void } {
  const select = byId('policy', HTMLSelectElement)
  let asked = 0
  let inForce: Policy = 'always'
  const show = async (answer: Promise<PolicyView>) => {
    const turn = ++asked
    try {
      const view = await answer
      // An answer to an earlier question must not undo a later choice.
      if (turn !== asked) return
      select.value = inForce = view.policy
      setText(byId('policy-state', HTMLElement), policyWords(view))
      onPolicy(view)
    } catch (thrown) {
      if (turn !== asked) return
      select.value = inForce
      onFailure(explain(thrown))
    }
  }
  // A worker of an older version knows no policy: then this one stays as it is.
  const look = () => void show(holdfast.policy().catch(() => ({ policy: inForce, metered: false })))
  select.addEventListener('change', () => {
    const policy = POLICIES.find((one) => one === select.value)
    if (policy) void show(holdfast.setPolicy(policy))
  })
  // Another tab may have chosen since, or the network may be another one.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && look())
  const { connection } = navigator as { readonly connection?: EventTarget }
  connection?.addEventListener('change', look)
  look()
  return { set: (policy) => void show(holdfast.setPolicy(policy)) }
}
