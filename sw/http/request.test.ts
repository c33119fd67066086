import { describe, expect, test } from 'vitest'
import { adaptiveTimeout } from './adaptive-timeout.ts'
import { httpError, type Answer } from './request.ts'

// Promise 7 of docs/guarantees.md.

const message = (text: string) => {
  const answer: Answer = {
    origin: 'https://store.example',
    url: 'https://store.example/object',
    status: 403,
    ok: false,
    headers: new Headers(),
    bytes: new Uint8Array(),
    text,
  }
  return httpError(answer).message
}

describe('the message of an HTTP error', () => {
  test.each([
    ['<Error><Code>SignatureDoesNotMatch</Code></Error>', 'SignatureDoesNotMatch'],
    ['<Error>\n  <Code>\n    RequestTimeTooSkewed\n  </Code>\n</Error>', 'RequestTimeTooSkewed'],
    ['{"code":"AuthorizationPermissionMismatch"}', 'AuthorizationPermissionMismatch'],
    ['{"error":{"code": "too_many_requests_of_this_kind"}}', 'too_many_requests_of_this_kind'],
    ['{"errors":[{"reason":"userRateLimitExceeded"}]}', 'userRateLimitExceeded'],
    ['{"error": "insufficient_permissions"}', 'insufficient_permissions'],
  ])('keeps the error code of %s', (text, code) => expect(message(text)).toContain(code))

  test.each([
    '<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>SECRET</AWSAccessKeyId></Error>',
    '<Error><SignatureProvided>SECRET</SignatureProvided></Error>',
    '<Error><Code>SECRET</Code></Error>',
    '{"code":"SECRET"}',
    '{"error":"no such token: SECRET"}',
    'https://store.example/object?X-Amz-Signature=SECRET',
  ])('keeps no secret of %s', (text) => {
    for (const secret of [
      'AKIAIOSFODNN7EXAMPLE',
      'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
      'd2hhdCBpcyBrZXB0IHNlY3JldA==',
      'a-bearer-token-of-the-app',
      '9f86d081884c7d659a2feaa0c55ad015',
    ])
      expect(message(text.replace('SECRET', secret))).not.toContain(secret.slice(4, -4))
  })
})

// `fetch` throws the same of these as of a network that is gone, for which everything would wait for ever.
test.each([
  ['no URL', 'http://[', {}],
  ['a URL that is relative, where nothing says to what', '/files', {}],
  ['a URL with a name and a password', 'https://me:SECRET@store.example/', {}],
  ['a header value that none may have', 'https://store.example/', { 'x-tenant': '日本 SECRET' }],
  ['a header of two lines', 'https://store.example/', { authorization: 'Bearer SECRET\nBearer SECRET' }],
  ['a header name that is none', 'https://store.example/', { 'x tenant': 'SECRET' }],
])('%s is told as a wrong input, and is no dead network', async (_, url, headers: Record<string, string>) => {
  const asked = adaptiveTimeout().request(
    url,
    { method: 'PUT', headers },
    { signal: new AbortController().signal },
  )
  await expect(asked).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.not.stringContaining('SECRET') as string,
  })
})
