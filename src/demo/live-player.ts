/** Plays a recording while it is read. */
export interface LivePlayer {
  readonly video: HTMLVideoElement
  /**
   * The next part of the recording; it is read when the player has room for it.
   *
   * @param isAfterGap it does not follow on what was added before, and begins where media begin
   */
  add(part: Blob, isAfterGap?: boolean): void
  /** Nothing follows. */
  end(): void
  close(): void
}

/** Kept behind what is shown where the browser has no more room, s. */
const KEEP_BEHIND_S = 10

/** @param mimeType as it was recorded @returns undefined where this browser cannot play it while it comes */
export function livePlayer(video: HTMLVideoElement, mimeType: string): LivePlayer | undefined {
  if (typeof MediaSource === 'undefined' || !MediaSource.isTypeSupported(mimeType)) return undefined
  const source = new MediaSource()
  const src = URL.createObjectURL(source)
  const opened = new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }))
  video.src = src
  const buffer = opened.then(() => source.addSourceBuffer(mimeType))
  const settled = (of: SourceBuffer) =>
    new Promise((resolve) => of.addEventListener('updateend', resolve, { once: true }))
  let last: Promise<unknown> = buffer
  const inTurn = (work: () => Promise<unknown>) => {
    last = last.then(work, work)
    return last.then(() => undefined)
  }

  // Where something is missing, it goes on after that.
  const skipGap = () => {
    const { buffered, currentTime } = video
    for (let range = 0; range < buffered.length; range++) {
      const startsAt = buffered.start(range)
      if (startsAt <= currentTime) continue
      video.currentTime = startsAt
      return
    }
  }
  video.addEventListener('waiting', skipGap)
  video.addEventListener('loadeddata', skipGap)

  async function add(bytes: Uint8Array): Promise<void> {
    const into = await buffer
    if (source.readyState !== 'open') return
    try {
      const done = settled(into)
      into.appendBuffer(bytes as BufferSource)
      await done
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error
      const until = video.currentTime - KEEP_BEHIND_S
      if (until > 0) {
        const done = settled(into)
        into.remove(0, until)
        await done
      } else await new Promise((resolve) => video.addEventListener('timeupdate', resolve, { once: true }))
      return add(bytes)
    }
  }

  return {
    video,
    add(part, isAfterGap = false) {
      const added = inTurn(async () => {
        const into = await buffer
        // What it has of a frame that was cut off.
        if (isAfterGap && source.readyState === 'open') into.abort()
        await add(new Uint8Array(await part.arrayBuffer()))
      })
      // A player that cannot go on keeps nobody from reading and saving.
      added.catch(() => undefined)
    },
    end: () =>
      void inTurn(async () => {
        if (source.readyState === 'open') source.endOfStream()
      }),
    close: () => URL.revokeObjectURL(src),
  }
}
