import { createHash, createHmac } from 'node:crypto'

/** Who may use the store. */
export interface Account {
  readonly keyId: string
  readonly secret: string
}

export interface SignOptions {
  readonly method: string
  readonly url: string
  /** Signed, and to be sent as they are. */
  readonly headers?: Readonly<Record<string, string>>
  /** When it is signed, by the signer's clock, ms since the epoch; default now. */
  readonly atMs?: number
}

const SERVICE = ['us-east-1', 's3', 'aws4_request']
const ALGORITHM = 'AWS4-HMAC-SHA256'
const UNSIGNED = 'UNSIGNED-PAYLOAD'

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/**
 * AWS Signature Version 4 (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).
 *
 * @param query of the canonical request, by name
 */
function signed(
  { keyId, secret }: Account,
  { method, url, headers = {}, atMs = Date.now() }: SignOptions,
  query: (credential: string, time: string, names: string) => Readonly<Record<string, string>>,
) {
  const { host, pathname } = new URL(url)
  const time = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = [time.slice(0, 8), ...SERVICE]
  const all = Object.entries({ ...headers, host }).sort(([a], [b]) => (a < b ? -1 : 1))
  const names = all.map(([name]) => name).join(';')
  const credential = [keyId, ...scope].join('/')
  const asked = Object.entries(query(credential, time, names))
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .sort()
    .join('&')
  const told = all.map(([name, value]) => `${name}:${value}\n`).join('')
  const payload = headers['x-amz-content-sha256'] ?? UNSIGNED
  const request = createHash('sha256').update([method, pathname, asked, told, names, payload].join('\n'))
  const text = [ALGORITHM, time, scope.join('/'), request.digest('hex')].join('\n')
  const signature = hmac(scope.reduce<string | Buffer>(hmac, `AWS4${secret}`), text).toString('hex')
  return { asked, credential, names, signature }
}

/** A request whose signature is in its URL, good for so many seconds; its headers, in lower case, are to be sent. */
export function presign(account: Account, options: SignOptions, expiresSec = 60) {
  const { asked, signature } = signed(account, options, (credential, time, names) => ({
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': credential,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(expiresSec),
    'X-Amz-SignedHeaders': names,
  }))
  return { url: `${options.url}?${asked}&X-Amz-Signature=${signature}`, headers: options.headers ?? {} }
}

/** A request whose signature is in its headers: it is good while the signer's clock and the store's agree. */
export function signHeaders(account: Account, { headers, atMs = Date.now(), ...options }: SignOptions) {
  const time = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '')
  const own = { 'x-amz-content-sha256': UNSIGNED, ...headers, 'x-amz-date': time }
  const { credential, names, signature } = signed(account, { ...options, headers: own, atMs }, () => ({}))
  const authorization = `${ALGORITHM} Credential=${credential},SignedHeaders=${names},Signature=${signature}`
  return { url: options.url, headers: { ...own, authorization } }
}
