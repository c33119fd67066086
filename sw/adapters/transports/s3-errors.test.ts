import { describe, expect, test } from 'vitest'
import type { Answer } from '../../http/request.ts'
import { isThere, storeCode, storeError } from './s3-errors.ts'

// Promise 5 of docs/guarantees.md.

const answer = (status: number, text: string, headers: HeadersInit = {}): Answer => ({
  origin: 'https://store.example',
  url: 'https://store.example/object',
  status,
  ok: false,
  headers: new Headers(headers),
  bytes: new TextEncoder().encode(text),
  text,
})

const xml = (code: string, message = 'What the store says.') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`

const [S3, R2, GCS, AZURE, MINIO, SEAWEED, GARAGE, CEPH, SUPABASE, ALIBABA, TENCENT] = [
  'S3',
  'R2',
  'GCS',
  'Azure',
  'MinIO',
  'SeaweedFS',
  'Garage',
  'Ceph',
  'Supabase',
  'Alibaba',
  'Tencent',
]

describe('heals by sending again', () => {
  test.each([
    [S3, 400, 'BadDigest'],
    [S3, 400, 'XAmzContentSHA256Mismatch'],
    [S3, 400, 'XAmzContentChecksumMismatch'],
    [S3, 400, 'IncompleteBody'],
    [S3, 400, 'InvalidDigest'],
    [GARAGE, 400, 'InvalidDigest'],
    [GCS, 400, 'CrcMismatch'],
    [SUPABASE, 400, 'InvalidChecksum'],
    [AZURE, 400, 'Md5Mismatch'],
    [AZURE, 400, 'Crc64Mismatch'],
  ])('%s: %i %s, as the bytes were damaged', (_, status, code) =>
    expect(storeError(answer(status, xml(code))).code).toBe('address-mismatch'),
  )

  test.each([
    [S3, 409, 'ConditionalRequestConflict'],
    [S3, 409, 'OperationAborted'],
    [AZURE, 409, 'PendingCopyOperation'],
    [S3, 404, 'NoSuchKey'],
  ])('%s: %i %s, once it was asked what is there', (_, status, code) =>
    expect(storeError(answer(status, xml(code)))).toMatchObject({ code: 'bad-answer', class: 'conflict' }),
  )
})

describe('heals by a new grant', () => {
  test.each([
    [S3, 403, 'AccessDenied'],
    [SEAWEED, 400, 'AccessDenied'],
    [S3, 400, 'ExpiredToken'],
    [GCS, 400, 'ExpiredToken'],
    [R2, 400, 'ExpiredRequest'],
    [S3, 400, 'InvalidToken'],
    [S3, 400, 'TokenRefreshRequired'],
    [S3, 403, 'InvalidAccessKeyId'],
    [S3, 403, 'SignatureDoesNotMatch'],
    [S3, 403, 'RequestTimeTooSkewed'],
    [S3, 400, 'AuthorizationQueryParametersError'],
    [S3, 400, 'AuthorizationHeaderMalformed'],
    [R2, 401, 'Unauthorized'],
    [AZURE, 403, 'AuthenticationFailed'],
    [AZURE, 403, 'AuthorizationPermissionMismatch'],
    [AZURE, 400, 'InvalidAuthenticationInfo'],
    [AZURE, 401, 'NoAuthenticationInformation'],
    [SUPABASE, 400, 'InvalidJWT'],
    [SUPABASE, 400, 'InvalidUploadSignature'],
    [TENCENT, 403, 'RequestIsExpired'],
    [ALIBABA, 400, 'SecurityTokenExpired'],
  ])('%s: %i %s', (_, status, code) =>
    expect(storeError(answer(status, xml(code))).code).toBe('sign-in-needed'),
  )
})

test.each([
  '{"statusCode":"400","error":"InvalidJWT","message":"jwt expired"}',
  '{"statusCode":"400","error":"InvalidJWT","message":"\\"exp\\" claim timestamp check failed"}',
  '{"statusCode":"400","error":"Invalid JWT","message":"jwt malformed"}',
  '{"statusCode":"403","error":"Unauthorized","message":"\\"exp\\" claim timestamp check failed"}',
])('Supabase: what has no code and is of a token heals by a new grant: %s', (text) =>
  expect(storeError(answer(400, text)).code).toBe('sign-in-needed'),
)

describe('heals by waiting', () => {
  test.each([
    [S3, 503, 'SlowDown', 'throttled'],
    [MINIO, 503, 'SlowDownWrite', 'throttled'],
    [S3, 400, 'ThrottlingException', 'throttled'],
    [S3, 400, 'RequestThrottled', 'throttled'],
    [S3, 400, 'ThrottledException', 'throttled'],
    [AZURE, 503, 'ServerBusy', 'throttled'],
    [GCS, 403, 'UserRateLimitExceeded', 'throttled'],
    [R2, 429, 'TooManyRequests', 'throttled'],
    [R2, 499, 'ClientDisconnect', 'throttled'],
    [MINIO, 499, 'ClientDisconnected', 'throttled'],
    [S3, 400, 'RequestTimeout', 'throttled'],
    [CEPH, 408, 'RequestTimeout', 'throttled'],
    [MINIO, 503, 'RequestTimeout', 'throttled'],
    [SEAWEED, 429, 'ErrTooManyRequest', 'throttled'],
    [ALIBABA, 503, 'QpsLimitExceeded', 'throttled'],
    [ALIBABA, 503, 'DownloadTrafficRateLimitExceeded', 'throttled'],
    [TENCENT, 503, 'RequestLimitExceeded', 'throttled'],
    [AZURE, 409, 'AccountBeingCreated', 'throttled'],
    [AZURE, 409, 'ContainerBeingDeleted', 'throttled'],
    [S3, 500, 'InternalError', 'server-error'],
    [S3, 503, 'ServiceUnavailable', 'server-error'],
    [GARAGE, 503, 'ServiceUnavailable', 'server-error'],
    [MINIO, 503, 'XMinioServerNotInitialized', 'server-error'],
    [AZURE, 500, 'OperationTimedOut', 'server-error'],
  ])('%s: %i %s', (_, status, code, ours) => {
    const error = storeError(answer(status, xml(code), { 'retry-after': '7' }))
    expect(error).toMatchObject({ code: ours, class: 'transient', retryAfterMs: 7_000 })
  })
})

describe('heals by a person', () => {
  test.each([
    [S3, 403, 'AccountProblem'],
    [S3, 403, 'AllAccessDisabled'],
    [S3, 404, 'NoSuchBucket'],
    [S3, 409, 'InvalidBucketState'],
    [S3, 403, 'InvalidObjectState'],
    [S3, 405, 'MethodNotAllowed'],
    [S3, 501, 'NotImplemented'],
    [S3, 400, 'EntityTooLarge'],
    [S3, 400, 'KeyTooLongError'],
    [S3, 411, 'MissingContentLength'],
    [CEPH, 403, 'UserSuspended'],
    [CEPH, 403, 'QuotaExceeded'],
    [GCS, 403, 'UserProjectAccountProblem'],
    [AZURE, 403, 'AccountIsDisabled'],
    [AZURE, 403, 'InsufficientAccountPermissions'],
    [AZURE, 403, 'AuthorizationFailure'],
    [AZURE, 403, 'AuthorizationSourceIPMismatch'],
    [AZURE, 404, 'ContainerNotFound'],
    [AZURE, 409, 'ContainerDisabled'],
    [AZURE, 413, 'RequestBodyTooLarge'],
    [MINIO, 507, 'XMinioStorageFull'],
    [ALIBABA, 403, 'UserDisable'],
    [ALIBABA, 403, 'InDebtOverdue'],
    [MINIO, 400, 'XMinioAdminBucketQuotaExceeded'],
  ])('%s: %i %s', (_, status, code) =>
    expect(storeError(answer(status, xml(code))).code).toBe('rejected-by-store'),
  )

  test.each([
    [GARAGE, 'Bucket size quota is reached, maximum total size: 1000'],
    ['Backblaze', 'Cannot upload files, storage cap exceeded. See the Caps & Alerts page.'],
    ['Backblaze', 'Transaction cap exceeded, see the Caps & Alerts page to increase your cap.'],
    ['Wasabi', 'Account trial expired or account suspended. Please contact support.'],
  ])('%s: what is full, or not paid, which it tells as 403 AccessDenied: %s', (_, words) =>
    expect(storeError(answer(403, xml('AccessDenied', words))).code).toBe('rejected-by-store'),
  )
})

describe('the object is there already', () => {
  test.each([
    [S3, 412, 'PreconditionFailed'],
    [AZURE, 412, 'LeaseIdMissing'],
    [AZURE, 409, 'BlobAlreadyExists'],
    [AZURE, 403, 'UnauthorizedBlobOverwrite'],
    [AZURE, 409, 'BlobImmutableDueToPolicy'],
    [AZURE, 409, 'BlobImmutableDueToLegalHold'],
    [R2, 409, 'ObjectLockedByBucketPolicy'],
    [R2, 403, 'ObjectLockedByBucketPolicy'],
    [MINIO, 400, 'ObjectLocked'],
    [GCS, 403, 'RetentionPolicyNotMet'],
    [GCS, 403, 'ObjectUnderActiveHold'],
    [ALIBABA, 409, 'FileAlreadyExists'],
    [SUPABASE, 400, 'KeyAlreadyExists'],
  ])('%s: %i %s, and no new grant is asked for', (_, status, code) => {
    expect(isThere(answer(status, xml(code)))).toBe(true)
    expect(storeError(answer(status, xml(code))).code).toBe('bad-answer')
  })

  test.each([
    [
      GCS,
      403,
      xml(
        'AccessDenied',
        'Access denied.</Message><Details>app@project.example does not have storage.objects.delete access to the Google Cloud Storage object.</Details><Message>',
      ),
    ],
    [SUPABASE, 400, '{"statusCode":"409","error":"Duplicate","message":"The resource already exists"}'],
    ['a store of its own', 500, '{"message":"Object already exists"}'],
  ])('%s: %i that says so in words alone: %s', (_, status, text) => {
    expect(isThere(answer(status, text))).toBe(true)
    expect(storeError(answer(status, text)).code).toBe('bad-answer')
  })

  test.each([
    [S3, 409, 'ConditionalRequestConflict'],
    [S3, 403, 'AccessDenied'],
  ])('%s: not where it says %i %s', (_, status, code) =>
    expect(isThere(answer(status, xml(code)))).toBe(false),
  )
})

describe('words', () => {
  test.each([
    [
      S3,
      xml(
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
      ),
    ],
    [S3, xml('AccessDenied', 'Request is not valid yet')],
    [S3, xml('AccessDenied', 'Request has expired')],
    [GCS, xml('ExpiredToken', 'The provided token has expired. Request signature expired at: 2026-01-01')],
    [AZURE, xml('AuthenticationFailed', 'Signature not valid in the specified time frame: Start [then]')],
  ])('a skewed clock is told as one: %s', (_, text) => {
    const error = storeError(answer(403, text))
    expect(error.code).toBe('sign-in-needed')
    expect(error.message.slice(0, 80)).toContain('the clock of the signer or the store is wrong')
  })

  test('a token that has expired is not told as a clock', () =>
    expect(
      storeError(answer(400, xml('ExpiredToken', 'The provided token has expired.'))).message,
    ).not.toContain('clock'))

  test('what only a person can change begins the message', () => {
    const error = storeError(answer(400, xml('BadDigest')), 'the grant is wrong. ')
    expect(error.code).toBe('rejected-by-store')
    expect(error.message).toMatch(/^BadDigest: the grant is wrong\. https:/)
  })

  test('a store without codes is told by its status alone', () =>
    expect(storeError(answer(503, '')).message).toBe('https://store.example answered 503'))
})

describe('the code of an answer', () => {
  test.each([
    ['XML', xml('SignatureDoesNotMatch'), 'SignatureDoesNotMatch'],
    ['XML with spaces', '<Error>\n <Code> SlowDown </Code>', 'SlowDown'],
    ['JSON', '{"error": {"code": "AuthenticationFailed"}}', 'AuthenticationFailed'],
    ['JSON with a number before it', '{"error":{"code":403,"errors":[{"Code":"SlowDown"}]}}', 'SlowDown'],
    ['XML with a namespace', '<s3:Error xmlns:s3="x"><s3:Code>BadDigest</s3:Code></s3:Error>', 'BadDigest'],
    ['XML with an attribute', '<Error><Code xml:lang="en">SlowDown</Code></Error>', 'SlowDown'],
    ['XML with CDATA', '<Error><Code><![CDATA[SlowDown]]></Code></Error>', 'SlowDown'],
    ['XML after a byte order mark', `\ufeff${xml('SlowDown')}`, 'SlowDown'],
    ['XML after a status', '<StatusCode>503</StatusCode><Code>SlowDown</Code>', 'SlowDown'],
    ['XML after words', '<Message>Error code: none</Message><Code>SlowDown</Code>', 'SlowDown'],
    ['JSON of GCS', '{"error":{"errors":[{"reason":"rateLimitExceeded"}],"code":403}}', 'rateLimitExceeded'],
    ['JSON in other quotes', "{'code': 'SlowDown'}", 'SlowDown'],
    ['no code', '<html><body>Bad gateway</body></html>', ''],
    ['nothing', '', ''],
  ])('%s', (_, text, code) => expect(storeCode(answer(400, text))).toBe(code))
})

test.each([
  ['slowdown', 'throttled'],
  ['SLOWDOWN', 'throttled'],
  ['baddigest', 'address-mismatch'],
  ['signaturedoesnotmatch', 'sign-in-needed'],
  ['nosuchbucket', 'rejected-by-store'],
  ['blobalreadyexists', 'bad-answer'],
  ['rateLimitExceeded', 'throttled'],
])('a code means the same in any case: %s', (code, ours) =>
  expect(storeError(answer(400, `<error><code>${code}</code></error>`)).code).toBe(ours),
)
