import { openDialog } from './dialog.ts'
import { byId } from './dom.ts'

/** As `sw/demo.ts` knows them: the worker sends what is there with each upload, also while no page is open. */
const CACHE = 'holdfast-demo-choices'
const SIGN_IN = '/sign-in'

/**
 * Has a person sign in where the recordings are kept.
 *
 * @returns false where it was given up
 */
export async function signIn(): Promise<boolean> {
  const code = byId('sign-in-code', HTMLInputElement)
  code.value = ''
  const accept = async () => {
    const given = code.value.trim()
    if (given) await (await caches.open(CACHE)).put(SIGN_IN, new Response(given))
    else code.focus()
    return given !== ''
  }
  const answer = await openDialog(byId('sign-in', HTMLDialogElement), { accept })
  code.value = ''
  return answer === 'done'
}
