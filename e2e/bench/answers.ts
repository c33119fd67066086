import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers an upload with the checksum of what it received, never of what it was told. */
export async function takeUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256')
  for await (const piece of request) hash.update(piece as Buffer)
  send(response, '', { 'x-amz-checksum-sha256': hash.digest('base64') })
}

/** A script, which may be a worker's of any scope. */
export const sendScript = (response: ServerResponse, script: string) =>
  send(response, script, { 'content-type': 'text/javascript', 'service-worker-allowed': '/' })

/** The page of a script. */
export const sendPage = (response: ServerResponse, script: string) =>
  send(response, `<!doctype html><title>Bench</title><script src="/${script}.js"></script>`, {
    'content-type': 'text/html',
  })

export const send = (response: ServerResponse, body: string, headers: Record<string, string> = {}) =>
  void response.writeHead(200, headers).end(body)
