import type { Endpoints } from '../backend/index.ts'

/** A port at which nobody listens: all that is recorded stays on the device. */
const PORT = 'http://127.0.0.1:9'

/** Endpoints of no service at all. */
export const NOWHERE: Endpoints = {
  ipfs: PORT,
  gateway: PORT,
  tus: PORT,
  tusPlain: PORT,
  put: PORT,
  pinata: PORT,
  resumable: PORT,
  resumableMute: PORT,
  rpcUrl: PORT,
  relayUrl: PORT,
  registry: '0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35',
  chainId: 31337,
  pollMs: 1000,
}
