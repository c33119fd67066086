import { createServer } from 'node:http'

export interface Served {
  readonly url: string
  close(): Promise<void>
}

/** Serves these texts and bytes by path, looked up anew for each request; whatever else is asked for is an empty page. */
export async function serve(files: ReadonlyMap<string, string | Uint8Array>): Promise<Served> {
  const server = createServer((request, response) => {
    const script = files.get(new URL(request.url ?? '/', 'http://localhost').pathname)
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
    response.setHeader('cache-control', 'no-store')
    response.end(script ?? '<!doctype html><meta charset="utf-8"><title>Bench</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
