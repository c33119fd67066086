/**
 * What a reader of `holdfast/verify` found wrong, in the order in which it is looked for:
 * - `bad-input`: an argument; nothing was asked of anyone
 * - `chain-unreachable`: the JSON-RPC node is silent, failing or speaks no JSON-RPC
 * - `chain-answer`: it answered, but not as a registry at that address would, or it contradicts itself
 * - `not-registered`: the registry knows no such session
 * - `heads-withheld`: the node tells of fewer heads than the registry counts
 * - `head-signature`: no head that the chain has is signed by the session's key
 * - `gateway-unreachable`: the gateway is silent or failing; says nothing about the evidence
 * - `page-missing`, `page-address`, `page-malformed`: a page of the log is not there, is not the one named, or breaks
 *   the format; its entries are lost
 * - `first-page`: the log's first page cannot be fetched, without which nothing opens
 * - `root`: the first head is not that of the pages it names
 * - `groups`: the log's first entry has another key than the session's name
 * - `group`: the recording was not made for the key's group
 * - `key`: the session key does not open under the group's key
 * - `chunk-missing`, `chunk-address`, `chunk-size`, `chunk-encrypted-hash`: the stored ciphertext is not
 *   there, or not the one listed
 * - `chunk-decrypt`: its key, or that ciphertext under it, does not open
 * - `chunk-plaintext-hash`: it opens, but to other bytes than those listed
 */
export type VerificationCode =
  | 'bad-input'
  | 'chain-unreachable'
  | 'chain-answer'
  | 'not-registered'
  | 'heads-withheld'
  | 'head-signature'
  | 'gateway-unreachable'
  | 'page-missing'
  | 'page-address'
  | 'page-malformed'
  | 'first-page'
  | 'root'
  | 'groups'
  | 'group'
  | 'key'
  | 'chunk-missing'
  | 'chunk-address'
  | 'chunk-size'
  | 'chunk-encrypted-hash'
  | 'chunk-decrypt'
  | 'chunk-plaintext-hash'
