import type { Deed } from './deed.ts'
import { thief } from './thief-deeds.ts'
import { relay } from './relay-deeds.ts'
import { node } from './node-deeds.ts'
import { gateway } from './gateway-deeds.ts'
import { member } from './member-deeds.ts'
import { recorder } from './other-recorder-deeds.ts'
import { itself } from './recorder-deeds.ts'

const by = (party: string, deeds: readonly Omit<Deed, 'party'>[]): Deed[] =>
  deeds.map((deed) => Object.assign({ party }, deed))

/** Who does what, and what the reader says of it. */
export const DEEDS: readonly Deed[] = [
  ...by('a thief with the session’s key', thief),
  ...by('a relay', relay),
  ...by('a node', node),
  ...by('a gateway', gateway),
  ...by('a member of the group', member),
  ...by('another recorder', recorder),
  ...by('the recorder itself', itself),
]
