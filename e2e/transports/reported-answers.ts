import type { Asked, Rude, Step } from './memory-stores.ts'
import type { VariantName } from './variants.ts'

// Answers as public reports and documents of servers tell of them, each always given instead of the store's own.

export interface Reported {
  readonly title: string
  /** Which kinds of store give it. */
  readonly by: readonly VariantName[]
  readonly rude: Rude
}

interface Told {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const IPFS: readonly VariantName[] = ['ipfs']
const TUS: readonly VariantName[] = ['tus', 'tus-plain']
const RESUMABLE: readonly VariantName[] = ['resumable', 'resumable-mute']
const PUT: readonly VariantName[] = ['put', 'put-mute']
const PINATA: readonly VariantName[] = ['pinata', 'pinata-legacy', 'pinata-signed']
const ALL: readonly VariantName[] = [...IPFS, ...TUS, ...RESUMABLE, ...PUT, ...PINATA]

const EACH: readonly Step[] = ['send', 'ask', 'read', 'create', 'options']

const response = ({ status, headers = {}, body = '' }: Told) =>
  new Response([204, 205, 304].includes(status) ? null : body, { status, headers })

/** `after`: the store does as it was asked, and its own answer is lost. */
const at =
  (steps: Step | readonly Step[], told: Told | ((asked: Asked) => Told), after = false): Rude =>
  async (asked, honest) => {
    if (![steps].flat().includes(asked.step)) return undefined
    if (after) await honest()
    return response(typeof told === 'function' ? told(asked) : told)
  }

/** The store's own answer, with other headers. */
const amended =
  (steps: Step | readonly Step[], amend: (headers: Headers, asked: Asked) => unknown, body?: string): Rude =>
  async (asked, honest) => {
    if (![steps].flat().includes(asked.step)) return undefined
    const { status, headers, body: own } = await honest()
    const shown = new Headers(headers)
    amend(shown, asked)
    return new Response(status === 204 ? null : (body ?? own), { status, headers: shown })
  }

/** The store's own answer, under another status where it is a success. */
const amendedStatus =
  (steps: readonly Step[], status: number): Rude =>
  async (asked, honest) => {
    if (!steps.includes(asked.step)) return undefined
    const { ok, status: own, headers, body } = await honest()
    return new Response(body, { status: ok ? status : own, headers })
  }

/** A body of which nothing comes. */
const breaking = () =>
  new ReadableStream({
    pull: (controller) => controller.error(new TypeError('network error')),
  })

/** The store does as it was asked, its answer is lost, and a question is answered so. */
const lostUnless =
  (step: Step, told: Told): Rude =>
  async (asked, honest) => {
    if (asked.step === step) return response(told)
    if (asked.step !== 'send') return undefined
    await honest()
    return 'cut'
  }

const HTML = '<!doctype html><html><head><title>'
const html = (title: string) =>
  `${HTML}${title}</title></head><body><center><h1>${title}</h1></center></body></html>`
/** Longer than any answer that is read. */
const longHtml = (title: string) => html(title.padEnd(100_000))
const s3 = (code: string, message = 'We said no.') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>9C1E</RequestId></Error>`
const json = (value: unknown) => JSON.stringify(value)

const of = (by: readonly VariantName[], list: Readonly<Record<string, Rude>>): Reported[] =>
  Object.entries(list).map(([title, rude]) => ({ title, by, rude }))

export const REPORTED: readonly Reported[] = [
  // What stands before any of them: nginx, Cloudflare, load balancers, sign-in pages.
  ...of(ALL, {
    'nginx: 413 of a body beyond client_max_body_size': at('send', {
      status: 413,
      body: html('413 Request Entity Too Large'),
    }),
    'nginx: 502 with a page': at('send', { status: 502, body: html('502 Bad Gateway') }),
    'nginx: 504 although the store took it': at(
      'send',
      { status: 504, body: html('504 Gateway Time-out') },
      true,
    ),
    'nginx: 408 of a body that came slowly': at('send', { status: 408 }),
    'nginx: 429 without Retry-After (limit_req)': at('send', {
      status: 429,
      body: html('429 Too Many Requests'),
    }),
    'nginx: 503 without Retry-After': at('send', {
      status: 503,
      body: html('503 Service Temporarily Unavailable'),
    }),
    'nginx: 499, client closed request': at('send', { status: 499 }),
    'nginx: 411 of a body without length': at('send', { status: 411, body: html('411 Length Required') }),
    'nginx: 400 of a header too large': at('send', {
      status: 400,
      body: html('400 Request Header Or Cookie Too Large'),
    }),
    'nginx: 405 of any method but GET': at('send', { status: 405, body: html('405 Not Allowed') }),
    'Cloudflare: 520': at('send', { status: 520, body: 'error code: 520' }),
    'Cloudflare: 522 although the store took it': at('send', { status: 522, body: 'error code: 522' }, true),
    'Cloudflare: 524 although the store took it': at('send', { status: 524, body: 'error code: 524' }, true),
    'Cloudflare: 530 with 1016': at('send', { status: 530, body: 'error code: 1016' }),
    'Cloudflare: 403 with a challenge': at('send', {
      status: 403,
      body: html('Just a moment...'),
      headers: { 'cf-mitigated': 'challenge' },
    }),
    'Cloudflare: 403 with a challenge for all': at(['send', 'ask', 'read', 'create', 'options'], {
      status: 403,
      body: html('Just a moment...'),
    }),
    'Cloudflare: 1015, rate limited, with Retry-After': at('send', {
      status: 429,
      body: 'error code: 1015',
      headers: { 'retry-after': '60' },
    }),
    'Heroku: 503 with H12': at('send', { status: 503, body: html('Application error') }, true),
    'AWS load balancer: 460, client closed': at('send', { status: 460 }),
    'AWS load balancer: 464': at('send', { status: 464 }),
    'AWS WAF: 403 with no body': at('send', { status: 403 }),
    'AWS WAF: 202 with a challenge': at('send', {
      status: 202,
      headers: { 'x-amzn-waf-action': 'challenge' },
    }),
    'a hotel: 511 with a page': at(['send', 'ask', 'read', 'create', 'options'], {
      status: 511,
      body: html('Sign in'),
    }),
    'a hotel: 200 with a page for all': at(['send', 'ask', 'read', 'create', 'options'], {
      status: 200,
      body: html('Welcome'),
      headers: { 'content-type': 'text/html' },
    }),
    'a hotel: 200 with a page for what is sent': at('send', { status: 200, body: html('Welcome') }),
    'a hotel: 302 to its page for all': at(['send', 'ask', 'read', 'create', 'options'], {
      status: 302,
      headers: { location: 'https://login.example/' },
    }),
    'a hotel: 307 to its page for what is sent': at('send', {
      status: 307,
      headers: { location: 'https://login.example/' },
    }),
    'a virus scanner: 200, scanning': at('send', { status: 200, body: html('Your file is being scanned') }),
    'a virus scanner: 403, blocked': at('send', { status: 403, body: html('Blocked by policy') }),
    'a cache: 304': at('send', { status: 304 }),
    'a cache: 200 and Age, of another object': at('read', {
      status: 200,
      headers: { age: '9999' },
      body: 'stale',
    }),
    'a cache: 404 that it keeps for all questions': at(['ask', 'read'], {
      status: 404,
      headers: { age: '60' },
    }),
    'a load balancer: each second question goes to a node that lags (404)': (() => {
      let turn = 0
      return (asked: Asked) =>
        asked.step === 'ask' && turn++ % 2 === 0 ? response({ status: 404 }) : undefined
    })(),
    'a load balancer: 421 misdirected': at('send', { status: 421 }),
    'a load balancer: 425 too early': at('send', { status: 425 }),
    'a quota: 402': at('send', { status: 402, body: json({ error: 'Payment required' }) }),
    'a quota: 507': at('send', { status: 507, body: json({ error: 'Insufficient storage' }) }),
    'a court: 451': at('send', { status: 451 }),
    'a single sign-on: 401 with a page of 100 kB for all': at(EACH, {
      status: 401,
      body: longHtml('Sign in'),
    }),
    'a site of its own: 404 with a page of 100 kB to all questions': at(['ask', 'read'], {
      status: 404,
      body: longHtml('Not found'),
    }),
    'a CDN: 503 with Retry-After and a page of 100 kB': at('send', {
      status: 503,
      body: longHtml('Overloaded'),
      headers: { 'retry-after': '30' },
    }),
    'a CDN: 429 whose page breaks off': ({ step }) =>
      step === 'send' ? new Response(breaking(), { status: 429 }) : undefined,
    'a CDN: 509, bandwidth limit exceeded': at('send', { status: 509, body: html('509') }),
    'a CDN: 525, handshake failed, for all': at(EACH, { status: 525, body: 'error code: 525' }),
    'a proxy: 407 for all': at(EACH, { status: 407, body: html('407 Proxy Authentication Required') }),
    'a store of its own: 500 that says that it already exists, though the store took it': at(
      'send',
      { status: 500, body: json({ message: 'Object already exists' }) },
      true,
    ),
    'a gateway: 206 to a question without Range': amendedStatus(['ask', 'read'], 206),
    'a server: 205 to what is sent': at('send', { status: 205 }),
    'maintenance: 503 with Retry-After of a year': at('send', {
      status: 503,
      headers: { 'retry-after': '31536000' },
    }),
    'maintenance: 503 with Retry-After 0': at('send', { status: 503, headers: { 'retry-after': '0' } }),
    'maintenance: 200 with Retry-After and words': at('send', {
      status: 200,
      headers: { 'retry-after': '60' },
      body: 'Be right back',
    }),
    'maintenance: 503 for questions alone': at(['ask', 'read'], { status: 503 }),
    'CORS: no answer to what is sent is shown, and the store took it': async (asked, honest) => {
      if (asked.step !== 'send') return undefined
      await honest()
      return 'cut'
    },
    'CORS: no answer to a question is shown': (asked) =>
      ['ask', 'read'].includes(asked.step) ? 'cut' : undefined,
  }),
  ...of(TUS, {
    'tusd: ERR_UPLOAD_STOPPED (400)': at('send', {
      status: 400,
      body: 'ERR_UPLOAD_STOPPED: upload has been stopped by server\n',
    }),
    'tusd: ERR_UPLOAD_INTERRUPTED (400)': at('send', {
      status: 400,
      body: 'ERR_UPLOAD_INTERRUPTED: upload has been interrupted by another request for this upload resource\n',
    }),
    'tusd: ERR_LOCK_TIMEOUT (500) of HEAD': at('ask', {
      status: 500,
      body: 'ERR_LOCK_TIMEOUT: failed to acquire lock before timeout\n',
    }),
    'tusd: ERR_UPLOAD_LOCKED (423)': at('send', {
      status: 423,
      body: 'ERR_UPLOAD_LOCKED: file currently locked\n',
    }),
    'tusd: ERR_UPLOAD_LOCKED (423) of HEAD and PATCH': at(['send', 'ask'], {
      status: 423,
      body: 'ERR_UPLOAD_LOCKED: file currently locked\n',
    }),
    'tusd: ERR_READ_TIMEOUT (500)': at('send', {
      status: 500,
      body: 'ERR_READ_TIMEOUT: timeout while reading request body\n',
    }),
    'tusd: ERR_CONNECTION_RESET (500)': at('send', {
      status: 500,
      body: 'ERR_CONNECTION_RESET: TCP connection reset by peer\n',
    }),
    'tusd: ERR_SERVER_SHUTDOWN (503)': at('send', {
      status: 503,
      body: 'ERR_SERVER_SHUTDOWN: request has been interrupted because the server is shutting down\n',
    }),
    'tusd: ERR_MISMATCHED_OFFSET (409) for ever': at('send', {
      status: 409,
      body: 'ERR_MISMATCHED_OFFSET: mismatched offset\n',
    }),
    'tusd: ERR_UPLOAD_SIZE_EXCEEDED (413)': at('send', {
      status: 413,
      body: 'ERR_UPLOAD_SIZE_EXCEEDED: upload’s size exceeded\n',
    }),
    'tusd: ERR_MAX_SIZE_EXCEEDED (413) of POST': at('create', {
      status: 413,
      body: 'ERR_MAX_SIZE_EXCEEDED: maximum size exceeded\n',
    }),
    'tusd: ERR_UPLOAD_REJECTED (400) of POST': at('create', {
      status: 400,
      body: 'ERR_UPLOAD_REJECTED: upload creation has been rejected by server\n',
    }),
    'tusd: ERR_ORIGIN_NOT_ALLOWED (403)': at(['create', 'send', 'ask'], {
      status: 403,
      body: 'ERR_ORIGIN_NOT_ALLOWED: request origin is not allowed\n',
    }),
    'tusd: ERR_INVALID_CONTENT_TYPE (400)': at('send', {
      status: 400,
      body: 'ERR_INVALID_CONTENT_TYPE: missing or invalid Content-Type header\n',
    }),
    'tusd: 500 of a post-finish hook, though all is there': at(
      'send',
      { status: 500, body: 'ERR_INTERNAL_SERVER_ERROR: hook failed\n' },
      true,
    ),
    'tusd: 400 of a post-finish hook, though all is there': at(
      'send',
      { status: 400, body: 'rejected by hook' },
      true,
    ),
    '@tus/server: 410 of an upload that is whole': async (asked, honest) => {
      if (asked.step !== 'ask') return undefined
      const own = await honest()
      return own.headers.get('upload-offset') === own.headers.get('upload-length')
        ? response({ status: 410, body: 'The file for this url no longer exists\n' })
        : own
    },
    '@tus/server: 403 of a PATCH without the offset that it wants': at('send', {
      status: 403,
      body: 'Upload-Offset header required\n',
      headers: { 'tus-resumable': '1.0.0' },
    }),
    '@tus/server: 404 of a PATCH to what HEAD has': at('send', {
      status: 404,
      body: 'The file for this url was not found\n',
    }),
    'tusdotnet: 409 as the file is being updated': at('send', {
      status: 409,
      body: 'File 439 is currently being updated. Please try again later',
    }),
    'tusdotnet: 460 of each part': at('send', {
      status: 460,
      body: 'Header Upload-Checksum does not match the checksum of the file',
    }),
    'tusdotnet: 400 of an unknown algorithm': at('send', {
      status: 400,
      body: 'Unsupported checksum algorithm. Supported algorithms are: sha1',
    }),
    'Cloudflare Stream: 400 of a part below 5 MiB': at('send', {
      status: 400,
      body: 'chunk size must be at least 5242880 bytes',
    }),
    'Cloudflare Stream: 413 as the storage is used up': at('create', {
      status: 413,
      body: json({ errors: [{ code: 10011, message: 'Storage capacity exceeded' }] }),
    }),
    'Cloudflare Stream: Location of another origin, with a query': amended('create', (headers) =>
      headers.set('location', `https://store.example${headers.get('location')}?tusv2=true`),
    ),
    'Vimeo: 200 of PATCH, and an offset that stays': amended('send', (headers) =>
      headers.set('upload-offset', '0'),
    ),
    'Vimeo: Upload-Length of HEAD is 0 while it transcodes': amended('ask', (headers) =>
      headers.set('upload-length', '0'),
    ),
    'Supabase: 400 that says 403': at(['create', 'send'], {
      status: 400,
      body: json({
        statusCode: '403',
        error: 'Unauthorized',
        message: 'new row violates row-level security policy',
      }),
    }),
    'Supabase: 400 that says that the JWT has expired': at(['create', 'send'], {
      status: 400,
      body: json({ statusCode: '403', error: 'Unauthorized', message: 'jwt expired' }),
    }),
    'Supabase: 409 of POST, the resource exists': at('create', {
      status: 409,
      body: json({ statusCode: '409', error: 'Duplicate', message: 'The resource already exists' }),
    }),
    'Supabase: 413 of POST': at('create', {
      status: 413,
      body: json({
        statusCode: '413',
        error: 'Payload too large',
        message: 'The object exceeded the maximum allowed size',
      }),
    }),
    'Supabase: 544, the database timed out': at('send', {
      status: 544,
      body: json({ statusCode: '544', error: 'DatabaseTimeout' }),
    }),
    'Uppy companion: 201 without Location': at('create', { status: 201, body: json({ token: 'abc' }) }),
    'a proxy that turns HEAD into GET: offset and length are missing': amended('ask', (headers) => {
      headers.delete('upload-offset')
      headers.delete('upload-length')
    }),
    'a proxy that drops Upload-Offset of answers to PATCH': amended('send', (headers) =>
      headers.delete('upload-offset'),
    ),
    'a proxy that doubles Upload-Offset': amended(['send', 'ask'], (headers) =>
      headers.append('upload-offset', headers.get('upload-offset') ?? ''),
    ),
    'a proxy that answers OPTIONS itself, with CORS alone': at('options', {
      status: 204,
      headers: { 'access-control-allow-methods': '*' },
    }),
    'a proxy that answers OPTIONS with 200 and a page': at('options', {
      status: 200,
      body: html('It works!'),
    }),
    'algorithms in capitals': amended('options', (headers) =>
      headers.set('tus-checksum-algorithm', 'SHA256,SHA1'),
    ),
    'algorithms that nobody knows': amended('options', (headers) =>
      headers.set('tus-checksum-algorithm', 'crc32,blake3'),
    ),
    'two Locations in one': amended('create', (headers) => headers.append('location', '/files/other')),
    'a Location with a fragment': amended('create', (headers) =>
      headers.set('location', `${headers.get('location')}#part`),
    ),
    'a Location without scheme': amended('create', (headers) =>
      headers.set('location', `//store.example${headers.get('location')}`),
    ),
    'a Location with spaces around it': amended('create', (headers) =>
      headers.set('location', `  ${headers.get('location')}  `),
    ),
    'a Location that is the endpoint itself': amended('create', (headers) =>
      headers.set('location', '/files'),
    ),
    'a Location that is nowhere (404)': amended('create', (headers) =>
      headers.set('location', '/elsewhere/1'),
    ),
    'a HEAD that says that nothing is there, always': at('ask', { status: 404 }),
    'an upload that shrinks: HEAD tells one byte less than it took': amended('ask', (headers) =>
      headers.set('upload-offset', `${Math.max(0, Number(headers.get('upload-offset')) - 1)}`),
    ),
  }),
  ...of(RESUMABLE, {
    'problem type mismatching-upload-offset, without headers': at('send', {
      status: 409,
      headers: { 'content-type': 'application/problem+json' },
      body: json({
        type: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
        'expected-offset': 0,
        'provided-offset': 0,
      }),
    }),
    'problem type completed-upload, and it is not there': at('send', {
      status: 400,
      headers: { 'content-type': 'application/problem+json' },
      body: json({ type: 'https://iana.org/assignments/http-problem-types#completed-upload' }),
    }),
    'problem type inconsistent-upload-length': at('send', {
      status: 400,
      headers: { 'upload-complete': '?0' },
      body: json({ type: 'https://iana.org/assignments/http-problem-types#inconsistent-upload-length' }),
    }),
    'tusd by interop 6: 200 with Upload-Incomplete': amended('send', (headers) => {
      headers.set('upload-incomplete', '?0')
      headers.delete('upload-complete')
    }),
    'HEAD by an older draft: 204 without Upload-Length': amended('ask', (headers) =>
      headers.delete('upload-length'),
    ),
    'HEAD that says complete, with no byte there': amended('ask', (headers) => {
      headers.set('upload-complete', '?1')
      headers.set('upload-offset', '0')
    }),
    'HEAD with 405': at('ask', { status: 405 }),
    'Upload-Complete ?1 to each part, whatever is there': at('send', {
      status: 200,
      headers: { 'upload-complete': '?1' },
    }),
    'Upload-Complete ?1 with parameters': amended('send', (headers) =>
      headers.set('upload-complete', `${headers.get('upload-complete')};a=1`),
    ),
    'a digest of nothing': amended(['send', 'ask'], (headers) =>
      headers.set('repr-digest', 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'),
    ),
    'a digest of another algorithm alone': amended(['send', 'ask'], (headers) =>
      headers.set('repr-digest', 'sha-512=:AAAA:'),
    ),
    'a Content-Digest instead of Repr-Digest': amended(['send', 'ask'], (headers) => {
      headers.set('content-digest', headers.get('repr-digest') ?? '')
      headers.delete('repr-digest')
    }),
    'a digest in hexadecimal': amended(['send', 'ask'], (headers) =>
      headers.set('repr-digest', `sha-256=${'ab'.repeat(32)}`),
    ),
    'Upload-Limit of max-age alone, and 413': at('send', {
      status: 413,
      headers: { 'upload-limit': 'max-age=60' },
    }),
    'Upload-Limit max-append-size=1': amended(['create', 'send'], (headers) =>
      headers.set('upload-limit', 'max-append-size=1'),
    ),
    'Upload-Limit min-size beyond ours, and 400 of POST': at('create', {
      status: 400,
      headers: { 'upload-limit': 'min-size=1000000' },
    }),
    'Upload-Limit max-size=0, and 201': amended('create', (headers) =>
      headers.set('upload-limit', 'max-size=0'),
    ),
    '201 to an append': at('send', { status: 201, headers: { location: '/files/u1' } }),
    '404 of an upload that it created just now': at(['send', 'ask'], { status: 404 }),
    '415 of application/partial-upload': at('send', { status: 415 }),
    '501 of POST': at('create', { status: 501 }),
    '200 of POST, complete already': at('create', { status: 200, headers: { 'upload-complete': '?1' } }),
  }),
  ...of(PUT, {
    'S3: 400 RequestTimeout': at('send', {
      status: 400,
      body: s3(
        'RequestTimeout',
        'Your socket connection to the server was not read from or written to within the timeout period.',
      ),
    }),
    'S3: 400 IncompleteBody': at('send', { status: 400, body: s3('IncompleteBody') }),
    'S3: 503 SlowDown': at('send', { status: 503, body: s3('SlowDown', 'Please reduce your request rate.') }),
    'S3: 500 InternalError': at('send', { status: 500, body: s3('InternalError') }),
    'S3: 301 PermanentRedirect': at('send', {
      status: 301,
      body: s3(
        'PermanentRedirect',
        'The bucket you are attempting to access must be addressed using the specified endpoint.',
      ),
    }),
    'S3: 307 TemporaryRedirect': at('send', {
      status: 307,
      body: s3('TemporaryRedirect'),
      headers: { location: 'https://bucket.s3.eu.example/x' },
    }),
    'S3: 403 AccessDenied, Request has expired': at('send', {
      status: 403,
      body: s3('AccessDenied', 'Request has expired'),
    }),
    'S3: 403 AccessDenied, explicit deny': at('send', {
      status: 403,
      body: s3(
        'AccessDenied',
        'User is not authorized to perform: s3:PutObject because no identity-based policy allows it',
      ),
    }),
    'S3: 403 InvalidAccessKeyId': at('send', { status: 403, body: s3('InvalidAccessKeyId') }),
    'S3: 403 SignatureDoesNotMatch': at('send', { status: 403, body: s3('SignatureDoesNotMatch') }),
    'S3: 403 NotSignedUp': at('send', {
      status: 403,
      body: s3('NotSignedUp', 'Your account is not signed up for the S3 service.'),
    }),
    'S3: 400 InvalidRequest, checksum with the wrong algorithm': at('send', {
      status: 400,
      body: s3('InvalidRequest', 'Value for x-amz-checksum-sha256 header is invalid.'),
    }),
    'S3: 400 KMS.DisabledException': at('send', { status: 400, body: s3('KMS.DisabledException') }),
    'S3: 400 KMS.ThrottlingException': at('send', { status: 400, body: s3('KMS.ThrottlingException') }),
    'S3: 400 TooManyRequests in a 400': at('send', { status: 400, body: s3('ThrottlingException') }),
    'S3: 412 of If-None-Match, and HEAD is forbidden': at(['send', 'ask'], ({ step }) =>
      step === 'send' ? { status: 412, body: s3('PreconditionFailed') } : { status: 403 },
    ),
    'S3: 409 ConditionalRequestConflict for ever': at('send', {
      status: 409,
      body: s3('ConditionalRequestConflict'),
    }),
    'S3: 200 with an error in its body': at('send', { status: 200, body: s3('InternalError') }),
    'S3: 200 with spaces and an error': at('send', { status: 200, body: `\n\n\n${s3('SlowDown')}` }),
    'S3: 200 to HEAD with a checksum of parts (-2)': amended('ask', (headers) =>
      headers.set('x-amz-checksum-sha256', `${headers.get('x-amz-checksum-sha256')}-2`),
    ),
    'S3: 403 to HEAD and GET, as only PUT is allowed': at(['ask', 'read'], { status: 403 }),
    'S3: a delete marker': at(['ask', 'read'], { status: 404, headers: { 'x-amz-delete-marker': 'true' } }),
    'S3: 403 InvalidObjectState of GET, as it went to the glacier': at(['ask', 'read'], ({ step }) => ({
      status: step === 'ask' ? 200 : 403,
      body: step === 'ask' ? '' : s3('InvalidObjectState'),
    })),
    'R2: 501 NotImplemented of the checksum header': at('send', {
      status: 501,
      body: s3('NotImplemented', "Header 'x-amz-checksum-sha256' with value 'x' not implemented"),
    }),
    'R2: 499 ClientDisconnect': at('send', {
      status: 499,
      body: s3('ClientDisconnect', 'The client disconnected during an operation.'),
    }),
    'R2: 504 ObjectTimeout': at('send', { status: 504, body: s3('ObjectTimeout') }),
    'R2: 429 of one object': at('send', {
      status: 429,
      body: s3('ServiceUnavailable', 'Reduce your concurrent request rate for the same object.'),
    }),
    'R2: 401 Unauthorized': at('send', { status: 401, body: s3('Unauthorized') }),
    'R2: JSON, authentication error': at('send', {
      status: 400,
      body: json({ success: false, errors: [{ code: 10000, message: 'Authentication error' }] }),
    }),
    'GCS: 429 in words of JSON': at('send', {
      status: 429,
      body: json({
        error: { code: 429, message: 'Rate limit exceeded', errors: [{ reason: 'rateLimitExceeded' }] },
      }),
    }),
    'GCS: 403 InsufficientQuota': at('send', { status: 403, body: s3('InsufficientQuota') }),
    'GCS: 403 UserProjectMissing': at('send', { status: 400, body: s3('UserProjectMissing') }),
    'GCS: 400 InvalidArgument': at('send', { status: 400, body: s3('InvalidArgument') }),
    'GCS: 404 NoSuchBucket': at('send', { status: 404, body: s3('NoSuchBucket') }),
    'Azure: 400 MissingRequiredHeader, x-ms-blob-type': at('send', {
      status: 400,
      body: s3('MissingRequiredHeader', "An HTTP header that's mandatory for this request is not specified."),
    }),
    'Azure: 409 InvalidBlobType': at('send', { status: 409, body: s3('InvalidBlobType') }),
    'Azure: 409 PublicAccessNotPermitted': at('send', { status: 409, body: s3('PublicAccessNotPermitted') }),
    'Azure: 409 LeaseAlreadyPresent': at('send', { status: 409, body: s3('LeaseAlreadyPresent') }),
    'Azure: 409 BlobArchived of GET': at(['ask', 'read'], { status: 409, body: s3('BlobArchived') }),
    'Azure: 503 ServerBusy, ingress over the account limit': at('send', {
      status: 503,
      body: s3('ServerBusy', 'Ingress is over the account limit.'),
    }),
    'Azure: 503 of an account limit in its code': at('send', {
      status: 503,
      body: s3('TotalRequestsOverAccountLimit'),
    }),
    'Azure: 403 AuthorizationFailure': at('send', { status: 403, body: s3('AuthorizationFailure') }),
    'Azure: 403 AuthenticationFailed, signature did not match': at('send', {
      status: 403,
      body: s3('AuthenticationFailed', 'Signature did not match. String to sign used was w'),
    }),
    'Azure: 403 KeyVaultEncryptionKeyNotFound': at('send', {
      status: 403,
      body: s3('KeyVaultEncryptionKeyNotFound'),
    }),
    'MinIO: 499 ClientDisconnected': at('send', {
      status: 499,
      body: s3('ClientDisconnected', 'Client disconnected before response was ready'),
    }),
    'MinIO: 503 SlowDownWrite': at('send', {
      status: 503,
      body: s3('SlowDownWrite', 'Resource requested is unwritable, please reduce your request rate'),
    }),
    'MinIO: 503 RequestTimeout of a lock': at('send', {
      status: 503,
      body: s3(
        'RequestTimeout',
        'A timeout occurred while trying to lock a resource, please reduce your request rate',
      ),
    }),
    'MinIO: 507 XMinioStorageFull': at('send', { status: 507, body: s3('XMinioStorageFull') }),
    'MinIO: 400 XMinioInvalidObjectName': at('send', { status: 400, body: s3('XMinioInvalidObjectName') }),
    'Ceph: JSON': at('send', {
      status: 403,
      body: json({ Code: 'QuotaExceeded', RequestId: 'tx0', HostId: 'default' }),
    }),
    'Ceph: 400 XAmzContentSHA256Mismatch': at('send', { status: 400, body: s3('XAmzContentSHA256Mismatch') }),
    'SeaweedFS: 500 InternalError of a volume that is read only': at('send', {
      status: 500,
      body: s3('InternalError', 'We encountered an internal error, please try again.'),
    }),
    'Garage: 503, no quorum': at('send', {
      status: 503,
      body: s3(
        'ServiceUnavailable',
        'Could not reach quorum of 2. 1 of 3 request succeeded, others returned errors: []',
      ),
    }),
    'Garage: 400 InvalidRequest': at('send', {
      status: 400,
      body: s3('InvalidRequest', 'Bad request: Missing header'),
    }),
    'Garage: 403 as the bucket is full': at('send', {
      status: 403,
      body: s3(
        'AccessDenied',
        'Forbidden: Bucket size quota is reached, maximum total size of objects for this bucket: 10',
      ),
    }),
    'Backblaze: 403 as a cap is reached': at('send', {
      status: 403,
      body: s3(
        'AccessDenied',
        'Cannot upload files, storage cap exceeded. See the Caps & Alerts page to increase your cap.',
      ),
    }),
    'Backblaze: 403 as transactions are used up': at('send', {
      status: 403,
      body: s3('AccessDenied', 'Transaction cap exceeded, see the Caps & Alerts page to increase your cap.'),
    }),
    'Backblaze: 503, no tomes available': at('send', {
      status: 503,
      body: s3('ServiceUnavailable', 'no tomes available'),
    }),
    'Backblaze: 400 InvalidRequest, unsupported header': at('send', {
      status: 400,
      body: s3('InvalidRequest', 'Unsupported header ‘x-amz-checksum-sha256’ received for this API call.'),
    }),
    'Wasabi: 403 as the trial is over': at('send', {
      status: 403,
      body: s3('AccessDenied', 'Account trial expired or account suspended. Please contact support.'),
    }),
    'Storj: 403 StorageLimitExceeded': at('send', {
      status: 403,
      body: s3('StorageLimitExceeded', 'You have exceeded your storage limit.'),
    }),
    'Storj: 403 BandwidthLimitExceeded': at('send', {
      status: 403,
      body: s3('BandwidthLimitExceeded', 'You have exceeded your bandwidth limit.'),
    }),
    'Alibaba: 503 TotalQpsLimitExceeded': at('send', { status: 503, body: s3('TotalQpsLimitExceeded') }),
    'Alibaba: 403 UserDisable': at('send', { status: 403, body: s3('UserDisable') }),
    'Tencent: 403 RequestTimeTooSkewed': at('send', { status: 403, body: s3('RequestTimeTooSkewed') }),
    'versitygw: 403 QuotaExceeded': at('send', {
      status: 403,
      body: s3('QuotaExceeded', 'Your request was denied due to quota exceeded.'),
    }),
    'a checksum in hexadecimal': amended('send', (headers) =>
      headers.set('x-amz-checksum-sha256', 'ab'.repeat(32)),
    ),
    'a checksum that is empty': amended('send', (headers) => headers.set('x-amz-checksum-sha256', '')),
    'a checksum twice': amended('send', (headers) =>
      headers.append('x-amz-checksum-sha256', headers.get('x-amz-checksum-sha256') ?? ''),
    ),
    'HEAD without a length': amended('ask', (headers) => headers.delete('content-length')),
    'HEAD with the length of what was packed': amended('ask', (headers) =>
      headers.set('content-length', '7'),
    ),
    '200 to what is sent, 404 to HEAD, and 500 to GET': at(['send', 'ask', 'read'], ({ step }) => ({
      status: { send: 200, ask: 404 }[step as string] ?? 500,
    })),
    'GET with other bytes': at('read', { status: 200, body: 'other' }),
    'GET with no bytes': at('read', { status: 200 }),
    'GET with a page': at('read', { status: 200, body: html('Sign in') }),
    'GET with too many bytes': at('read', { status: 200, body: 'x'.repeat(70_000) }),
    'HEAD of 405': at('ask', { status: 405 }),
    'HEAD of 400': at('ask', { status: 400 }),
  }),
  ...of([...TUS, ...RESUMABLE, ...PUT, ...PINATA], {
    'a promise instead of what is read: 202': at('read', { status: 202, body: 'Accepted' }),
    'nothing instead of what is read: 204': at('read', { status: 204 }),
    'a part of what is read: 206': at('read', { status: 206, body: 'a part' }),
  }),
  ...of(IPFS, {
    '200, an error in a later line': at('send', ({ key }) => ({
      status: 200,
      body: `{"Name":"x","Bytes":10}\n{"Name":"x","Hash":"${key}"}\n{"Message":"pin: context canceled","Code":0,"Type":"error"}\n`,
    })),
    '200, an error that has a Hash too': at('send', ({ key }) => ({
      status: 200,
      body: `{"Message":"no space left on device","Hash":"","Name":"${key}","Type":"error"}`,
    })),
    '200, the folder’s line last': at('send', ({ key }) => ({
      status: 200,
      body: `{"Name":"x","Hash":"${key}","Size":"9"}\n{"Name":"","Hash":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn","Size":"0"}\n`,
    })),
    '200, progress alone': at('send', {
      status: 200,
      body: '{"Name":"x","Bytes":10}\n{"Name":"x","Bytes":20}\n',
    }),
    '200, an address in capitals': at('send', ({ key }) => ({
      status: 200,
      body: json({ Hash: key.toUpperCase() }),
    })),
    '200, an address that is an object': at('send', { status: 200, body: json({ Hash: { '/': 'bafy' } }) }),
    '200, an address of base58': at('send', {
      status: 200,
      body: json({ Hash: 'QmXvXJZAXv5ezGXzTziyZugFijkAFsMzLDk5oiHPqeJ57h' }),
    }),
    '500, no space left': at('send', {
      status: 500,
      body: json({ Message: 'write /data/ipfs/blocks: no space left on device', Code: 0, Type: 'error' }),
    }),
    '500, the datastore is locked': at(['send', 'ask'], {
      status: 500,
      body: json({ Message: 'someone else has the lock', Code: 0, Type: 'error' }),
    }),
    '500, unknown option max-file-links': at('send', {
      status: 400,
      body: json({ Message: 'unknown option "max-file-links"', Code: 1, Type: 'error' }),
    }),
    '404 of an API that is not there': at(['send', 'ask'], { status: 404, body: '404 page not found' }),
    '405 of pin/ls, as only add is let through': at('ask', { status: 405, body: '405 - Method Not Allowed' }),
    '403 of the origin': at(['send', 'ask'], { status: 403, body: '403 - Forbidden' }),
    '401 of basic auth': at(['send', 'ask'], {
      status: 401,
      body: 'Unauthorized',
      headers: { 'www-authenticate': 'Basic' },
    }),
    'pin/ls 200 with nothing in it': at('ask', { status: 200, body: '' }),
    'pin/ls 200 with {}': at('ask', { status: 200, body: '{}' }),
    'pin/ls 200 with Keys: null': at('ask', { status: 200, body: '{"Keys":null}' }),
    'pin/ls in lines (stream)': at('ask', ({ key }) => ({
      status: 200,
      body: `{"Cid":"${key}","Type":"recursive"}\n`,
    })),
    'pin/ls of other pins': at('ask', {
      status: 200,
      body: json({ Keys: { bafyother: { Type: 'recursive' } } }),
    }),
    'pin/ls of an indirect pin': at('ask', ({ key }) => ({
      status: 500,
      body: json({ Message: `path '${key}' is pinned indirectly through bafyroot`, Code: 0, Type: 'error' }),
    })),
    'pin/ls 500, not pinned, in other words': at('ask', {
      status: 500,
      body: json({ Message: 'pin: not pinned or pinned indirectly', Code: 0, Type: 'error' }),
    }),
    'pin/ls 500, merkledag not found': at('ask', {
      status: 500,
      body: json({ Message: 'merkledag: not found', Code: 0, Type: 'error' }),
    }),
  }),
  ...of(
    IPFS,
    Object.fromEntries(
      [403, 404, 405].map((status) => [
        `only add is let through, whose answer is lost (${status} of pin/ls)`,
        lostUnless('ask', { status }),
      ]),
    ),
  ),
  // With signed uploads a gateway is asked, which says 403 of what is not pinned: that is a network that is tried.
  ...of(['pinata', 'pinata-legacy'], {
    'the answer is lost, and the list is not allowed': lostUnless('ask', {
      status: 403,
      body: json({ error: { reason: 'NO_SCOPES_FOUND' } }),
    }),
  }),
  ...of(PINATA, {
    '200 with an error': at('send', {
      status: 200,
      body: json({ error: { code: 'BAD', message: 'limit' } }),
    }),
    '200 with data: null': at('send', { status: 200, body: json({ data: null }) }),
    '200 with data: []': at('send', { status: 200, body: json({ data: [] }) }),
    '200 with an empty CID': at('send', { status: 200, body: json({ data: { cid: '' } }) }),
    '200 with IpfsHash, as v1 has it': at('send', ({ key }) => ({
      status: 200,
      body: json({ IpfsHash: key, PinSize: 1 }),
    })),
    '402 of a plan': at('send', { status: 402, body: json({ error: 'Plan limit reached' }) }),
    '403 of a key’s scopes': at('send', {
      status: 403,
      body: json({
        error: { reason: 'NO_SCOPES_FOUND', details: 'This key does not have the required scopes' },
      }),
    }),
    '403 of an account that is blocked': at(['send', 'ask'], {
      status: 403,
      body: json({ error: { code: 'FORBIDDEN', message: 'Account blocked due to plan usage limit' } }),
    }),
    '401 of a key that was revoked': at(['send', 'ask'], {
      status: 401,
      body: json({ error: 'Not Authorized' }),
    }),
    '429 as Cloudflare says it': at(['send', 'ask'], { status: 429, body: html('Rate limited') }),
    '400 of a file that is not one': at('send', {
      status: 400,
      body: json({ error: { code: 'BAD_REQUEST', message: 'Unexpected end of form' } }),
    }),
    'a list without files': at('ask', { status: 200, body: json({ data: {} }) }),
    'a list with sizes in words': at('ask', ({ key }) => ({
      status: 200,
      body: json({ data: { files: [{ id: '1', cid: key, name: key, size: '123' }] } }),
    })),
    'a list of other files': at('ask', {
      status: 200,
      body: json({ data: { files: [{ id: '1', cid: 'bafyother', name: 'x', size: 1 }] } }),
    }),
    'a list with null in it': at('ask', { status: 200, body: json({ data: { files: [null, 7, {}] } }) }),
    'a list that is an object': at('ask', {
      status: 200,
      body: json({ data: { files: { '0': { cid: 'x' } } } }),
    }),
    'a list that is a page': at('ask', { status: 200, body: html('Pinata') }),
    'a gateway: 403 ERR_ID:00006': at('read', { status: 403, body: 'ERR_ID:00006' }),
    'a gateway: 402, restricted': at('read', { status: 402, body: 'restricted' }),
    'a gateway: 504 of what is not there': at('read', { status: 504 }),
    'a gateway: 429': at('read', { status: 429 }),
    'a gateway: a page': at('read', { status: 200, body: html('Dedicated gateway') }),
    'a gateway: half of it': async (asked, honest) => {
      if (asked.step !== 'read') return undefined
      const held = new Uint8Array(await (await honest()).arrayBuffer())
      return new Response(held.subarray(0, held.length / 2))
    },
  }),
]

const again =
  (...fields: readonly string[]) =>
  (headers: Headers) =>
    fields.forEach((field) => headers.has(field) && headers.append(field, headers.get(field) ?? ''))

/** The store's own answer, in another status. */
const as =
  (status: number): Rude =>
  async ({ step }, honest) => {
    if (step !== 'ask') return undefined
    const { body, headers, ...own } = await honest()
    return new Response(body, { status: own.ok ? status : own.status, headers })
  }

/** The store's own words, in another form. */
const written =
  (write: (text: string) => string): Rude =>
  async ({ step }, honest) => {
    if (step !== 'ask') return undefined
    const answer = await honest()
    return new Response(write(await answer.text()), answer)
  }

/** How stores and what stands before them tell, in odd ways, that they have an object. */
export const ODDLY_THERE: readonly Reported[] = [
  ...of([...PUT, ...RESUMABLE, 'pinata-signed'], { 'by 203, as a proxy changed it': as(203) }),
  ...of(PUT, {
    'without a length, as a proxy packs what it passes on': amended('ask', (headers) =>
      headers.delete('content-length'),
    ),
    'with a checksum of parts, as it was moved to another bucket': amended('ask', (headers) =>
      headers.set('x-amz-checksum-sha256', `${btoa('of parts')}-2`),
    ),
    'with its checksum and its length twice': amended('ask', (headers) => {
      again('x-amz-checksum-sha256')(headers)
      headers.delete('content-length')
    }),
    'with an empty checksum': amended('ask', (headers) => headers.set('x-amz-checksum-sha256', '')),
  }),
  ...of(
    PUT,
    Object.fromEntries(
      ['7', '0', '70', 'many', '7, 7'].map((length) => [
        `with a length that is not its own: ${length}`,
        amended('ask', (headers) => headers.set('content-length', length)),
      ]),
    ),
  ),
  ...of(RESUMABLE, {
    'with a digest in hexadecimal': amended('ask', (headers) =>
      headers.set('repr-digest', `sha-256=${'ab'.repeat(32)}`),
    ),
    'with a digest that is a text': amended('ask', (headers) =>
      headers.set('repr-digest', `sha-256="${btoa('text')}"`),
    ),
  }),
  ...of([...IPFS, 'pinata', 'pinata-legacy'], {
    'with a byte order mark': written((text) => `\ufeff${text}`),
    'with keys twice': written((text) => text.replace(/^\{/, '{"Keys":null,"data":null,')),
  }),
  ...of(['pinata', 'pinata-legacy'], {
    'with its size as a text': written((text) => text.replaceAll(/"size":(\d+)/g, '"size":"$1"')),
    'in a list that is an object': written((text) =>
      text.replaceAll(/"files":\[(.*)\]/g, '"files":{"0":$1}'),
    ),
  }),
]
