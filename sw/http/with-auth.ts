import { withTimeout, type Answer } from './request.ts'
import { HOOK_TIMEOUT_MS } from './http-limits.ts'

/** `rejected`: the store did not accept what the hook gave last; ask the app's server for something new. */
export type AuthReason = 'send' | 'rejected'

/**
 * The app's hook that gives the headers of a request, such as a bearer token. Called in the worker at send time, maybe
 * without any page; what it gives is never stored.
 */
export type Authorize = Hook<Readonly<Record<string, string>>>
type Hook<T> = (context: { readonly reason: AuthReason }) => Promise<T>

/** Of a server that knows nobody. */
export const noSignIn: Authorize = async () => ({})

/**
 * Sends with what the app's hook gives; if the store refuses that, asks the hook once more and sends once more.
 *
 * @param refused which answers a new sign-in may mend; without it, 401
 * @throws HoldfastError of the hook or of `send`; any other failure of the hook is `sign-in-needed`, but `unreachable`
 *   for a TypeError, which is what a `fetch` without network throws, and `timeout` after 30 s
 */
export async function withAuth<T, Given extends Answer | undefined = Answer>(
  hook: Hook<T>,
  send: (given: T) => Promise<Given>,
  signal: AbortSignal,
  refused: (answer: Given) => boolean = (answer) => answer?.status === 401,
): Promise<Given> {
  /** The hook has a deadline and an end like any request. */
  const attempt = async (reason: AuthReason) =>
    send(
      await withTimeout(
        'The sign-in hook',
        signal,
        // Some hooks give no promise.
        async (_, endIn) => {
          endIn(HOOK_TIMEOUT_MS)
          return hook({ reason })
        },
        'sign-in-needed',
      ),
    )
  const first = await attempt('send')
  return refused(first) ? attempt('rejected') : first
}
