import { drain, json, type Exchange, type Reply, type Service } from './exchange.ts'
import { flipped } from './flipped.ts'
import { add, lieAboutAdd } from './kubo-add.ts'
import { kuboError } from './kubo-error.ts'
import type { Pins } from './pins.ts'
import { parseCid, type UnixfsStore } from './unixfs-store.ts'

/** The part of Kubo's RPC that an uploader and a reader need (docs.ipfs.tech/reference/kubo/rpc). */
export function ipfsService(store: UnixfsStore, pins: Pins): Service {
  const perform = async (exchange: Exchange, honest: boolean): Promise<Reply> => {
    // As in Kubo: its RPC takes POST alone, against requests that a foreign page can make without leave.
    if (exchange.method !== 'POST') {
      return { status: 405, headers: { allow: 'POST' }, body: '405 - Method Not Allowed\n' }
    }
    const argument = exchange.query.get('arg')
    const cid = argument === null ? undefined : parseCid(argument)
    if (cid !== undefined) exchange.record.update({ key: cid.toString() })
    const command = exchange.path.slice('/api/v0/'.length)
    if (command === 'add') return honest ? add(exchange, store, pins) : lieAboutAdd(exchange)

    await drain(exchange.body)
    switch (command) {
      case 'pin/ls': {
        const type = exchange.query.get('type') ?? 'all'
        if (argument === null) return json(200, { Keys: keysOf(type === 'direct' ? [] : pins.all()) })
        if (cid === undefined) return kuboError(`invalid path ${JSON.stringify(argument)}`)
        const pinned = (type === 'recursive' || type === 'all') && pins.has(cid)
        if (pinned || !honest) return json(200, { Keys: keysOf([cid.toString()]) })
        return kuboError(`path '${cid}' is not pinned`)
      }
      case 'cat': {
        if (argument === null) return kuboError('argument "ipfs-path" is required', 400)
        if (cid === undefined) return kuboError(`invalid path ${JSON.stringify(argument)}`)
        const file = await store.open(cid)
        if (file === undefined) {
          return kuboError(`block was not found locally (offline): ipld: could not find ${cid}`)
        }
        return {
          status: 200,
          headers: { 'content-type': 'text/plain', 'x-content-length': String(file.sizeBytes) },
          body: honest ? file.content() : flipped(file.content()),
        }
      }
      case 'version':
        return json(200, { Version: 'holdfast-embedded', Commit: '', Repo: '', System: '', Golang: '' })
      case 'id':
        return json(200, { ID: 'holdfast-embedded', PublicKey: '', Addresses: [], AgentVersion: 'holdfast' })
      default:
        return { status: 404, body: '404 page not found\n' }
    }
  }
  return {
    name: 'ipfs',
    handle: (exchange) => perform(exchange, true),
    lie: (exchange) => perform(exchange, false),
  }
}

const keysOf = (cids: readonly string[]) =>
  Object.fromEntries(cids.map((cid) => [cid, { Type: 'recursive' }] as const))
