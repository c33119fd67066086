const TICK_MS = 1000

/** Calls back once a second while told to, and is silent otherwise. */
export function ticker(onTick: () => void): (running: boolean) => void {
  let timer: ReturnType<typeof setInterval> | undefined
  return (running) => {
    if (running) timer ??= setInterval(onTick, TICK_MS)
    else {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** True while this session's "next try in" counts down. */
export const countsDown = ({ retryAtMs }: { readonly retryAtMs?: number | undefined }) =>
  retryAtMs !== undefined && retryAtMs > Date.now() - TICK_MS
