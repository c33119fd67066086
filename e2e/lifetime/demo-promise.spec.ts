import { expect, test } from '../fixtures.ts'

test('the demo says what this browser can promise', async ({ stack, context }) => {
  const page = await context.newPage()
  await page.goto(stack.url)
  const promise = page.getByTestId('promise')
  await expect(promise).toHaveAttribute('data-wakes', 'background-sync')
  await page.getByText('What happens when').click()
  await expect(promise.getByRole('listitem').first()).toContainText('after this page is closed')
})
