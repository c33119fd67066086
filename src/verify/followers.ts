/** A signal that aborts with others, until it is let go. */
export interface Follower {
  readonly signal: AbortSignal
  letGo(): void
}

/**
 * Makes signals that abort with this one, which has one listener for all of them: Node warns of a signal with many. It is
 * there while there are some.
 *
 * @returns gets another signal that the new one follows as well
 */
export function followersOf(leader: AbortSignal | undefined): (own?: AbortSignal) => Follower {
  const followers = new Set<AbortController>()
  const abortAll = () => {
    for (const follower of followers) follower.abort(leader?.reason)
  }
  return (own) => {
    const follower = new AbortController()
    const abort = () => follower.abort(own?.reason)
    if (leader?.aborted) follower.abort(leader.reason)
    if (own?.aborted) abort()
    if (followers.size === 0) leader?.addEventListener('abort', abortAll)
    own?.addEventListener('abort', abort)
    followers.add(follower)
    return {
      signal: follower.signal,
      letGo() {
        followers.delete(follower)
        if (followers.size === 0) leader?.removeEventListener('abort', abortAll)
        own?.removeEventListener('abort', abort)
      },
    }
  }
}
