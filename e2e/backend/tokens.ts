import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Bearer tokens that expire, and signatures of presigned URLs; void after a restart. */
export interface Tokens {
  /** @param ttlMs from now; 0 or less makes one that has expired */
  mint(ttlMs: number): string
  /** Whether an `Authorization` header holds a token that is valid now. */
  accepts(authorization: string | undefined): boolean
  /** 64 hex digits. */
  sign(...what: readonly string[]): string
  verifies(signature: string, ...what: readonly string[]): boolean
}

export function tokens(): Tokens {
  const secret = randomBytes(32)
  const sign = (...what: readonly string[]) =>
    createHmac('sha256', secret).update(JSON.stringify(what)).digest('hex')
  const verifies = (signature: string, ...what: readonly string[]) => {
    const found = Buffer.from(signature)
    const expected = Buffer.from(sign(...what))
    return found.byteLength === expected.byteLength && timingSafeEqual(found, expected)
  }
  return {
    mint(ttlMs) {
      const until = String(Date.now() + ttlMs)
      return `${until}.${sign('token', until)}`
    },
    accepts(authorization) {
      const [, until = '', signature = ''] = /^Bearer (\d+)\.(\w+)$/.exec(authorization ?? '') ?? []
      return Number(until) > Date.now() && verifies(signature, 'token', until)
    },
    sign,
    verifies,
  }
}
