import { codeOf, withTimeout, type Answer } from './request.ts'
import { HOOK_TIMEOUT_MS } from './http-limits.ts'

/** `rejected`: the store did not accept what the hook gave last; ask the app's server for something new. */
export type AuthReason = 'send' | 'rejected'

/**
 * The app's hook that gives the headers of a request, such as a bearer token. Called in the worker at send time, maybe
 * without any page; what it gives is never stored.
 */
export type Authorize = Hook<Readonly<Record<string, string>>>
type Hook<T> = (context: { readonly reason: AuthReason }) => Promise<T>

/**
 * Sends with what the app's hook gives; if the store refuses that, asks the hook once more and sends once more.
 *
 * @param hook none for a server that knows nobody
 * @param refused which answers a new sign-in may mend; without it, 401 and 403, which is about something else as often, and
 *   then costs one request more
 * @throws HoldfastError of the hook or of `send`; any other failure of the hook is `sign-in-needed`, but `unreachable`
 *   for a TypeError, which is what a `fetch` without network throws, and `timeout` after 30 s
 */
export function withAuth<T, Given extends Answer | undefined = Answer>(
  hook: Hook<T>,
  send: (given: T) => Promise<Given>,
  signal: AbortSignal,
  refused?: (answer: Given) => boolean,
): Promise<Given>
export function withAuth<T, Given extends Answer | undefined = Answer>(
  hook: Hook<T> | undefined,
  send: (given: T | undefined) => Promise<Given>,
  signal: AbortSignal,
  refused?: (answer: Given) => boolean,
): Promise<Given>
export async function withAuth<T, Given extends Answer | undefined = Answer>(
  hook: Hook<T> | undefined,
  send: (given: T | undefined) => Promise<Given>,
  signal: AbortSignal,
  refused: (answer: Given) => boolean = (answer) => codeOf(answer!) === 'sign-in-needed',
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
          return hook?.({ reason })
        },
        'sign-in-needed',
      ),
    )
  const first = await attempt('send')
  return hook && refused(first) ? attempt('rejected') : first
}
