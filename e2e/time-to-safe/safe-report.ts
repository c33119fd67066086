import type { Backlog, Destroyed, Destruction, Measured, Spread, TimeToSafe } from './measure.ts'
import { ROUND_TRIP_MS } from './measure.ts'

const sec = (ms: number) => (Number.isFinite(ms) ? (ms / 1_000).toFixed(ms < 9_950 ? 2 : 1) : 'never')
const both = ([median, p95]: Spread) => `${sec(median)} / ${sec(p95)}`
const percent = (share: number) => `${(share * 100).toFixed(share < 0.9995 && share > 0 ? 1 : 0)} %`

/** For the terminal. */
export function lineOf(one: Measured): string {
  switch (one.kind) {
    case 'time-to-safe':
      return (
        `${one.mbit} Mbit/s, ${one.chunks} chunks (${one.recordedMbit.toFixed(2)} Mbit/s, ${one.picture}), p50 / p95 s from capture: ` +
        `acknowledged ${both(one.acknowledged)}, listed ${both(one.listed)}, proved copy ${both(one.stored)}, in a block ${both(one.inBlock)}; ` +
        `link ${both(one.link)}; within goal ${percent(one.withinGoal)}, beyond it by ${both(one.beyond)}; not safe ${both(one.unsafe)}`
      )
    case 'destroyed':
      return (
        `${one.moments} moments of ${one.recordings} recordings at ${one.mbit} Mbit/s: over 30 s ${percent(one.over30)}, ` +
        `over 10 s ${percent(one.over10)} at the worst moment, ${percent(one.over10All)} of all; acknowledged to block p95 ${sec(one.foundMs[0])} s, longest ${sec(one.foundMs[1])} s`
      )
    case 'destruction':
      return (
        `destroyed after ${sec(one.afterMs)} s: of ${one.acknowledged} acknowledged, over 30 s ${one.over30Found}/${one.over30}, over 10 s ${one.over10Found}/${one.over10}; ` +
        `reader lists ${one.listed}, has ${one.proved}; ${one.agrees ? 'agrees with the ledger' : 'DISAGREES with the ledger'}`
      )
    case 'backlog':
      return (
        `${one.before} before, ${one.queued} queued at ${one.mbit} Mbit/s (${one.left} of ${one.fresh} fresh ones still behind it): ` +
        `acknowledged to listed ${both(one.listed)}, to a block ${both(one.inBlock)} s`
      )
  }
}

const table = (rows: readonly (readonly string[])[]) => {
  const [head = [], ...rest] = rows
  return [head, head.map(() => '---'), ...rest].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const timeToSafeTable = (all: readonly TimeToSafe[]) =>
  table([
    [
      'link, Mbit/s',
      'recorded',
      'link alone',
      'acknowledged',
      'listed',
      'proved copy',
      'in a block',
      'within 1.3 × link + 1 round trip',
      'not safe',
    ],
    ...all.map((one) => [
      String(one.mbit),
      `${one.chunks} chunks, ${one.recordedMbit.toFixed(2)} Mbit/s`,
      both(one.link),
      both(one.acknowledged),
      both(one.listed),
      both(one.stored),
      both(one.inBlock),
      `${percent(one.withinGoal)}; others ${both(one.beyond)} more`,
      both(one.unsafe),
    ]),
  ])

const destroyedTable = (all: readonly Destroyed[]) =>
  table([
    [
      'link, Mbit/s',
      'moments',
      'older than 30 s, at the worst moment',
      'older than 10 s, at the worst moment',
      'older than 10 s, in all',
      'acknowledged to block, p95 and longest',
    ],
    ...all.map((one) => [
      String(one.mbit),
      `${one.moments} of ${one.recordings} recordings`,
      percent(one.over30),
      percent(one.over10),
      percent(one.over10All),
      `${sec(one.foundMs[0])} s, ${sec(one.foundMs[1])} s`,
    ]),
  ])

const destructionsTable = (all: readonly Destruction[]) =>
  table([
    [
      'destroyed after',
      'acknowledged',
      'older than 30 s',
      'older than 10 s',
      'reader lists',
      'reader has',
      'as the ledger says',
    ],
    ...all.map((one) => [
      `${sec(one.afterMs)} s`,
      String(one.acknowledged),
      `${one.over30Found} of ${one.over30}`,
      `${one.over10Found} of ${one.over10}`,
      String(one.listed),
      String(one.proved),
      one.agrees ? 'yes' : 'no',
    ]),
  ])

const backlogTable = (all: readonly Backlog[]) =>
  table([
    [
      'link, Mbit/s',
      'chunks before',
      'backlog',
      'fresh chunks',
      'acknowledged to listed',
      'acknowledged to a block',
    ],
    ...all.map((one) => [
      String(one.mbit),
      String(one.before),
      String(one.queued),
      `${one.fresh}, ${one.left} of them still behind it`,
      both(one.listed),
      both(one.inBlock),
    ]),
  ])

const TESTED = '\nThe measures themselves are tested in '

/** A section of the document, without its end. */
const sectionIn = (document: string, heading: string) =>
  document
    .split(TESTED)[0]!
    .split('\n## ')
    .find((section) => section.startsWith(`${heading}\n`))

/**
 * `docs/time-to-safe.md` with what was measured now. It takes hours in all: what was not measured stays as it stands.
 *
 * @param machine on which it was measured, in words
 */
export function report(document: string, measured: readonly Measured[], machine: string): string {
  const section = <Kind extends Measured['kind']>(
    kind: Kind,
    heading: string,
    says: string,
    asTable: (all: readonly Extract<Measured, { kind: Kind }>[]) => string,
  ): string => {
    const own = measured.filter((one): one is Extract<Measured, { kind: Kind }> => one.kind === kind)
    if (own.length > 0) return `\n## ${heading}\n\n${says}\n\n${asTable(own)}\n\n${machine}.\n`
    const before = sectionIn(document, heading)
    return before === undefined ? '' : `\n## ${before}`
  }
  return `# Time to safe

_How soon is what a camera gives safe somewhere else?_ Written by \`npm run bench:safe -- --write\`; no hand has changed it.

A Chromium without a debugger records its fake camera in slices of 1 s by itself, each filled up with random bytes to the rate that is told (the fake picture is plain). All that its worker asks of store, chain and relay goes through one link of that bandwidth in each direction and a round trip of ${ROUND_TRIP_MS} ms. When something was there is what the store’s ledger and the chain say, not the worker; blocks come each 2 s, the app’s settings are the defaults. Cells with two numbers are p50 / p95 in seconds. Times are this machine’s at that load, with the encoder, the store and the chain on the same cores.
${section(
  'time-to-safe',
  'From capture to safe',
  '_Link alone_: when the link would have carried these bytes in order, and nothing else. Goal: the proved copy within 1.3 of that and one round trip. _Not safe_: video at 200 moments that has no proved copy that is listed, what the recorder holds included; goal at 5 Mbit/s: 2.5 s at the median.',
  timeToSafeTable,
)}${section(
    'destroyed',
    'A device that is destroyed at any moment',
    'Goal: of the chunks that were acknowledged more than 30 s before, all are listed at the store with their time proved on the chain; of those more than 10 s before, 95 %. The recorder gives as much as the link bears.',
    destroyedTable,
  )}${section(
    'destruction',
    'Devices that were destroyed',
    'The browser is killed in mid-recording and its profile removed; then a reader with the group’s key looks at what is left.',
    destructionsTable,
  )}${section(
    'backlog',
    'Beside a backlog',
    'A chunk each second while 500 of 64 KiB wait before it. Goal: listed within 2 s and in a block within 10 s, at p95.',
    backlogTable,
  )}${TESTED}[timeline.test.ts](../e2e/time-to-safe/timeline.test.ts), and the same goals in virtual time, without a machine that is busy, in [soon-found.test.ts](../e2e/time-to-safe/soon-found.test.ts).
`
}
