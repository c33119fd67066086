/** What the promise comes to; a test that waits in vain says for what. */
export function awaitAtMost<T>(ms: number, what: string, wanted: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${ms} ms for ${what}.`)), ms)
  })
  return Promise.race([wanted, late]).finally(() => clearTimeout(timer))
}
