export type {
  AppendOptions,
  ConnectOptions,
  DiscardOptions,
  EndOptions,
  Group,
  Holdfast,
  NoteOptions,
  RecordingSession,
  SessionOptions,
  WaitOptions,
  WatchOptions,
} from './api.ts'
export type { BackgroundWakes, Capabilities } from './capabilities.ts'
export { connect } from './client.ts'
export {
  HoldfastError,
  isHoldfastError,
  ERRORS,
  type ErrorClass,
  type ErrorCode,
  type WireError,
} from './protocol/errors.ts'
export type { VerificationCode } from './protocol/verification-code.ts'
export type { Note } from './evidence/note-seal.ts'
export type { Labels } from './protocol/labels.ts'
export type { ChunkId, Cid, GroupId, SessionId, SessionName, Sha256Hex } from './protocol/ids.ts'
export type {
  AnchorView,
  ChunkStatus,
  ChunkView,
  LogLine,
  Policy,
  PolicyView,
  SessionEnding,
  SessionSnapshot,
  SessionUpload,
  SetAside,
  Snapshot,
  UploadProgress,
} from './protocol/snapshot.ts'
