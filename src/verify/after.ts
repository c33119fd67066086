/** A time that passes, unless it is not waited for any more. */
export function after(ms: number) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const passed = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  return { passed, cancel: () => clearTimeout(timer) }
}
