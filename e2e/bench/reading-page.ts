import { fromHex } from '../../src/evidence/bytes.ts'
import { openSession } from '../../src/verify/index.ts'
import type { PageMeasured, PageWanted } from './reading-server.ts'

// Reads a recording in a browser, from the page's own origin, over as many connections as the browser gives it.

async function main(): Promise<PageMeasured> {
  const { name, groupKey, registry } = JSON.parse(
    new URL(location.href).searchParams.get('wanted')!,
  ) as PageWanted
  const began = performance.now()
  const session = await openSession({
    chain: { rpcUrl: `${location.origin}/rpc`, registry },
    gateway: location.origin,
    name,
    groupKey: fromHex(groupKey),
  })
  const openMs = performance.now() - began
  let bytes = 0
  for await (const chunk of session.chunks()) {
    if (chunk.verdict !== 'proved') throw chunk.error
    bytes += chunk.plaintext.length
  }
  return {
    bytes,
    openMs: Math.round(openMs),
    readMs: Math.round(performance.now() - began - openMs),
  }
}

void main()
  .catch((error: unknown) => ({ error: String(error) }))
  .then((measured) => fetch('/measured', { method: 'POST', body: JSON.stringify(measured) }))
