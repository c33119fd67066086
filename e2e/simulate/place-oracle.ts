import { pageCid } from '../../src/evidence/page.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import type { SessionRecord } from '../../sw/core/record.ts'
import type { Anchor } from '../../sw/ports/anchor.ts'
import type { Transport, Upload } from '../../sw/ports/transport.ts'
import { chunksOf, type Commit, type DiskState } from '../../sw/testing/fake-disk.ts'
import type { Scene } from './simulated-scene.ts'

/** Looks whether a worker asks and sends only what belongs to sessions that were ever bound to where it goes. */
export interface PlaceOracle {
  onCommit(commit: Commit): void
  /** The same transport, of a worker that goes to this place. */
  transportAt(place: string, transport: Transport): Transport
  /** The same anchor likewise. */
  anchorAt(place: string, anchor: Anchor): Anchor
}

/** @param disk as it is now */
export function createPlaceOracle({ fail }: Scene, disk: () => DiskState): PlaceOracle {
  /** Where each session was ever bound to. */
  const places = new Map<SessionId, Set<string>>()

  const check = (place: string, isOf: (session: SessionRecord) => boolean) => {
    const session = [...disk().sessions.values()].find(isOf)
    if (session && places.get(session.id)?.has(place) === false)
      fail(`a worker goes ${place} with ${session.id}, which was never bound there`)
  }
  const checkUpload = (place: string, { cid }: Upload) =>
    check(
      place,
      ({ id, listing }) =>
        (listing && pageCid(listing.page) === cid) ||
        chunksOf(disk(), id).some(({ state }) => state.seal?.cid === cid),
    )

  return {
    onCommit({ sessions, after }) {
      for (const id of sessions) {
        const { identity } = after.sessions.get(id) ?? {}
        if (identity !== undefined) places.set(id, (places.get(id) ?? new Set()).add(identity))
      }
    },
    transportAt: (place, transport) => ({
      ...transport,
      probe(upload, attempt) {
        checkUpload(place, upload)
        return transport.probe(upload, attempt)
      },
      send(upload, bytes, held, attempt) {
        checkUpload(place, upload)
        return transport.send(upload, bytes, held, attempt)
      },
    }),
    anchorAt: (place, anchor) => ({
      ...anchor,
      read(name, signal) {
        check(place, (session) => session.name === name)
        return anchor.read(name, signal)
      },
    }),
  }
}
