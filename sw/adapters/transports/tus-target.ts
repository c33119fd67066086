import type { Cid } from '../../../src/protocol/ids.ts'
import { requestUrl } from '../../http/request.ts'

/** An upload on the server. */
export interface Target {
  readonly url: string
  /** Algorithm under which the server checked each part that it took; empty if it checked none. */
  readonly checked: string
}

/** Where an upload is on a server that names uploads by their content. */
export function namedTarget(endpoint: string, cid: Cid): Target {
  const url = requestUrl(endpoint)
  url.pathname = url.pathname.replace(/\/?$/, `/${cid}`)
  return { url: url.href, checked: '' }
}

/** Keeps a target: its URL; what we know of it stands in the fragment, where no server sees it. */
export function tokenOf({ url, checked }: Target, secretQuery: boolean): string {
  const token = new URL(url)
  if (secretQuery) token.search = ''
  token.hash = checked
  return token.href
}

/** The target that a resume token keeps. */
export function targetOf(resumeToken: string | undefined): Target | undefined {
  // What is no URL is of another transport, by which the session began.
  if (!resumeToken?.startsWith('http')) return undefined
  const url = new URL(resumeToken)
  const checked = url.hash.slice(1)
  url.hash = ''
  return { url: url.href, checked }
}
