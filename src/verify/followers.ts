/** A signal that aborts with another one, until it is let go. */
export interface Follower {
  readonly signal: AbortSignal
  letGo(): void
}

/** Makes signals that abort with this one, which has one listener for all of them: Node warns of a signal with many. */
export function followersOf(leader: AbortSignal | undefined): () => Follower {
  const followers = new Set<AbortController>()
  const abortAll = () => {
    for (const follower of followers) follower.abort(leader?.reason)
  }
  return () => {
    const follower = new AbortController()
    if (leader?.aborted) follower.abort(leader.reason)
    if (followers.size === 0) leader?.addEventListener('abort', abortAll)
    followers.add(follower)
    return {
      signal: follower.signal,
      letGo() {
        followers.delete(follower)
        if (followers.size === 0) leader?.removeEventListener('abort', abortAll)
      },
    }
  }
}
