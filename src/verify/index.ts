export { openInSteps, openSession } from './session.ts'
export type { OpeningStep } from './early-steps.ts'
export { listSessions } from './list-sessions.ts'
export type {
  GroupKey,
  ListedSession,
  ListSessionsOptions,
  SessionCursor,
  SessionPage,
} from './list-sessions.ts'
export { anchorHead } from './anchor-head.ts'
export type { AnchorHeadOptions, AnchorHeadResult, Carrier, PortableHead } from './anchor-head.ts'
export type { BadChunk, JudgedChunk, ProvedChunk } from './chunk-reader.ts'
export type { RangeOptions, ReadNote, VerifiedSession } from './verified-session.ts'
export type { PagesRead } from './page-walk.ts'
export type { Ending, ListedChunk } from './contents.ts'
export type { HeadReport } from './head-report.ts'
export type { LogEntry, Range } from './log.ts'
export type { RangeUnit } from './range.ts'
export type { Asked, Found, ObjectSource } from './source.ts'
export type {
  ChainNodes,
  FromChain,
  FromHead,
  OpenSessionOptions,
  ReadingOptions,
  VerificationProgress,
} from './options.ts'
export type { Telling } from './heads.ts'
export type { NodeReport, SeenHead, VanishedHead } from './nodes.ts'
export { formatLink, keyText, parseKey, parseLink } from './link.ts'
export type { SessionLink } from './link.ts'
export type { Chain } from './rpc.ts'
export { VerificationError } from './error.ts'
export type { VerificationStep } from './error.ts'
export type { SignedHead } from '../evidence/head.ts'
export { isHoldfastError } from '../protocol/errors.ts'
export type { VerificationCode } from '../protocol/verification-code.ts'
export { KUBO_LEGACY_CIDV1, UNIXFS_V1_2025 } from '../evidence/cid.ts'
export type { CidProfile } from '../evidence/cid.ts'
export type { ChunkEntry, EndEntry, Entry, GroupAccess, NoteEntry, SessionEntry } from '../evidence/entry.ts'
export type { Note } from '../evidence/note-seal.ts'
