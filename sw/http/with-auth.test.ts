import { expect, onTestFinished, test } from 'vitest'
import { withAuth, type Authorize } from './with-auth.ts'

test('a hook that throws at once is told as any that fails, and leaves no rejection that nobody hears', async () => {
  const unheard: unknown[] = []
  const hear = (reason: unknown) => void unheard.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  const hook = (): Promise<object> => {
    throw new Error('signed out')
  }
  const asked = withAuth(hook, () => Promise.reject(new Error('sent')), new AbortController().signal)
  await expect(asked).rejects.toMatchObject({ code: 'sign-in-needed' })
  // Node tells of them once the microtasks are through.
  await new Promise((resolve) => setImmediate(resolve))
  expect(unheard).toEqual([])
})

test('a hook that gives its headers at once, without a promise, is heard', async () => {
  const hook = (() => ({ authorization: 'mine' })) as unknown as Authorize
  const sent: unknown[] = []
  const send = async (given: unknown) => {
    sent.push(given)
    return { status: 200 } as never
  }
  await withAuth(hook, send, new AbortController().signal)
  expect(sent).toEqual([{ authorization: 'mine' }])
})
