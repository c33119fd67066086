import { expectTypeOf, it } from 'vitest'
import type {
  AppendOptions,
  ConnectOptions,
  DiscardOptions,
  EndOptions,
  NoteOptions,
  SessionOptions,
  WaitOptions,
  WatchOptions,
} from '../../src/api.ts'
import type { RecordOptions } from '../../src/capture/api.ts'
import type { LossOptions } from '../../src/storage/canary.ts'
import type { UploadOptions } from '../../src/upload/api.ts'
import type { AnchorHeadOptions } from '../../src/verify/anchor-head.ts'
import type { ListSessionsOptions } from '../../src/verify/list-sessions.ts'
import type { OpenSessionOptions } from '../../src/verify/options.ts'
import type { RangeOptions } from '../../src/verify/verified-session.ts'
import type { EvmOptions } from '../../sw/adapters/anchors/evm.ts'
import type { EvmNodesOptions } from '../../sw/adapters/anchors/nodes.ts'
import type { IpfsOptions } from '../../sw/adapters/transports/ipfs.ts'
import type { PinataOptions } from '../../sw/adapters/transports/pinata.ts'
import type { Granted, PresignedPutOptions } from '../../sw/adapters/transports/put.ts'
import type { ResumableOptions } from '../../sw/adapters/transports/resumable.ts'
import type { TusOptions } from '../../sw/adapters/transports/tus.ts'
import type { InstallOptions } from '../../sw/install.ts'

/** The options that may be left out and may not be `undefined`, under `exactOptionalPropertyTypes`, as here. */
type Exact<Options> = {
  [Name in keyof Options]-?: object extends Pick<Options, Name>
    ? { [Only in Name]: undefined } extends Pick<Options, Name>
      ? never
      : Name
    : never
}[keyof Options]

it('an option that may be left out may be undefined, as what an app passes on often is', () => {
  expectTypeOf<Exact<{ readonly a?: string }>>().toEqualTypeOf<'a'>()
  type OfPage = ConnectOptions & SessionOptions & AppendOptions & WatchOptions & WaitOptions & NoteOptions
  expectTypeOf<Exact<OfPage>>().toBeNever()
  expectTypeOf<Exact<EndOptions & DiscardOptions>>().toBeNever()
  expectTypeOf<Exact<RecordOptions & UploadOptions & LossOptions>>().toBeNever()
  expectTypeOf<Exact<InstallOptions & EvmOptions>>().toBeNever()
  expectTypeOf<Exact<EvmNodesOptions>>().toBeNever()
  expectTypeOf<Exact<IpfsOptions & TusOptions & ResumableOptions & PinataOptions>>().toBeNever()
  expectTypeOf<Exact<PresignedPutOptions & Granted>>().toBeNever()
  expectTypeOf<Exact<OpenSessionOptions>>().toBeNever()
  expectTypeOf<Exact<ListSessionsOptions & RangeOptions>>().toBeNever()
  expectTypeOf<Exact<AnchorHeadOptions>>().toBeNever()
})
