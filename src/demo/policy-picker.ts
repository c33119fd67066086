import type { Holdfast } from '../api.ts'
import { feedOf } from '../elements/feed.ts'
import { POLICIES, type PolicyView } from '../protocol/snapshot.ts'
import { byId, setText } from './dom.ts'
import { explain, type Explanation } from './explain.ts'
import { texts } from './texts.ts'

/** What a person is told while uploads are suspended; empty while they are not. */
export function policyWords({ policy, metered }: PolicyView): string {
  if (policy === 'paused') return texts.policy.pausedWords
  return policy === 'unmetered' && metered ? texts.policy.wifiWords : ''
}

/** Lets a person choose when recordings are uploaded; call `show` with what is in force. */
export function showPolicyPicker(
  holdfast: Holdfast,
  onFailure: (explanation: Explanation) => void,
): (inForce: PolicyView) => void {
  const select = byId('policy', HTMLSelectElement)
  let shown: PolicyView = { policy: 'always', metered: false }
  let choosing = 0
  const show = (view: PolicyView) => {
    shown = view
    // Before, and where there is no worker, there is nobody to choose for.
    select.disabled = false
    if (choosing > 0) return
    select.value = view.policy
    setText(byId('policy-state', HTMLElement), policyWords(view))
  }
  select.addEventListener('change', async () => {
    const policy = POLICIES.find((one) => one === select.value)
    if (!policy) return
    choosing += 1
    try {
      shown = await feedOf(holdfast).setPolicy(policy)
    } catch (thrown) {
      onFailure(explain(thrown, texts.notice.again))
    }
    choosing -= 1
    show(shown)
  })
  return show
}
