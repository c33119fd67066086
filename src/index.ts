export type {
  AppendOptions,
  ConnectOptions,
  Group,
  Holdfast,
  RecordingSession,
  SessionOptions,
} from './api.ts'
export { connect } from './client.ts'
export { HoldfastError, ERRORS, type ErrorClass, type ErrorCode } from './protocol/errors.ts'
export { storageWarning, type StorageEstimateBytes, type StorageWarning } from './storage-warning.ts'
export type { ChunkId, Cid, GroupId, SessionId, Sha256Hex } from './protocol/ids.ts'
export type {
  AnchorView,
  ChunkStatus,
  ChunkView,
  SessionSnapshot,
  SessionStatus,
  Snapshot,
  UploadProgress,
} from './protocol/snapshot.ts'
