import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import { httpError, type Answer } from '../../http/request.ts'

/** What create-only requests are told (`If-None-Match`, a SAS without `w`, holds): an object of this name is there. */
const IS_THERE =
  /already.?exists|BlobOverwrite|BlobImmutable|ObjectLocked|RetentionPolicy|ActiveHold|objects\.delete/i

/**
 * The stores' error codes, each as the error of ours whose class heals it: sending again (`address-mismatch`),
 * waiting (`throttled`), a person (`rejected-by-store`), a new grant (`sign-in-needed`). The first row that
 * matches counts; where none does, the status, which says enough of most. Read in the lists of S3
 * (docs.aws.amazon.com/AmazonS3/latest/API, ErrorResponses), R2 (developers.cloudflare.com/r2/api/error-codes), GCS
 * (cloud.google.com/storage/docs/xml-api, reference-status) and Azure (learn.microsoft.com/rest/api/storageservices,
 * common-rest-api-error-codes and blob-service-error-codes), and in the sources of MinIO, SeaweedFS and Garage.
 */
const MEANINGS: readonly (readonly [storeCodes: RegExp, ErrorCode])[] = [
  // The body was damaged or cut off on its way. Garage says InvalidDigest of any checksum that is not that of the body.
  [/(Digest|Checksum)$|IncompleteBody|(Md5|SHA256|Crc\d*|Checksum)Mismatch/i, 'address-mismatch'],
  // It passes: too many requests, a store that is busy, an Azure account or container BeingCreated or BeingDeleted, a request
  // that took too long or was cut off (RequestTimeout, but not RequestTimeTooSkewed; ClientDisconnect).
  [/SlowDown|Throttl|Busy|(Rate|Qps|Request)Limit|Being|^RequestTimeout|Disconnect/i, 'throttled'],
  // The account, bucket, plan or a setting of the store is to be changed. Before the next row, since some have its words too:
  // AllAccessDisabled, AuthorizationFailure (Azure's firewall), AuthorizationSourceIPMismatch.
  [
    /Account|Suspended|AuthorizationFailure|SourceIP|Bucket|Container|State|Disable|Debt|Implemented|Quota|Storage/i,
    'rejected-by-store',
  ],
  // The grant is refused: expired, wrongly signed, or not for this.
  [/Expired|Token|Access|Auth|Signature|Skewed/i, 'sign-in-needed'],
]

/** Words of a grant that is new, and already too early or too late. */
const SKEWED = /TooSkewed|ExpiredRequest|time is too large|not valid yet|time frame|Request \w+ expired/

/**
 * An answer's error code, of XML, with whatever namespace, or JSON; empty where it has none. Stores and what stands before
 * them write it in any case.
 */
export const storeCode = ({ text }: Answer): string =>
  /[<:"'\w](?:code|reason)(?:(?:\s[^>]{0,99})?>|["']?\s*:)\s*(?:<!\[CDATA\[)?["']?([a-z.]+(?:\d+Mismatch)?)\b/i.exec(
    text,
  )?.[1] ?? ''

/** Whether a refusal says that the object is there already; whose bytes it has is still to be proved. */
export const isThere = ({ status, text }: Answer): boolean => status === 412 || IS_THERE.test(text)

/**
 * What an answer that is no success means for us, in words where we know more than the store says.
 *
 * @param toPerson what only a person can change, where the caller knows that nothing else helps
 */
export function storeError(answer: Answer, toPerson = ''): HoldfastError {
  const { text } = answer
  const code = storeCode(answer)
  const plain = httpError(answer)
  // Supabase names a token so, under a code that no row has or without one.
  const otherwise = /jwt|unauthori/i.test(text) ? 'sign-in-needed' : plain.code
  const row = MEANINGS.find(([storeCodes]) => storeCodes.test(code))
  const meant = isThere(answer) ? 'bad-answer' : (row?.[1] ?? otherwise)
  const words = toPerson || (SKEWED.test(text) ? 'the clock of the signer or the store is wrong. ' : '')
  return new HoldfastError(
    // Garage, Backblaze and Wasabi have no codes of their own for what is full, or not paid.
    toPerson || /quota is reached|cap exceeded|suspended/.test(text) ? 'rejected-by-store' : meant,
    // Records keep the beginning of a message, so the meaning comes first.
    `${code && `${code}: `}${words}${plain.message}`,
    plain,
  )
}
