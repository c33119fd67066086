/**
 * What a reader of `holdfast/verify` found wrong, in the order in which it is looked for:
 * - `bad-input`: an argument; nothing was asked of anyone
 * - `chain-unreachable`: the JSON-RPC node is silent, failing or speaks no JSON-RPC
 * - `chain-answer`: it answered, but not as a registry at that address would
 * - `not-registered`: the registry knows no such session
 * - `gateway-unreachable`: the gateway is silent or failing; says nothing about the evidence
 * - `manifest-missing`: the gateway has no manifest under the anchored address
 * - `manifest-address`: what it served is not what the chain points to
 * - `manifest-malformed`: the anchored manifest breaks the format
 * - `manifest-session`: it is the manifest of another session
 * - `count`: it lists more or fewer chunks than the chain counts
 * - `root`: its chunks do not add up to the anchored Merkle root
 * - `uploader`: it names another uploader than the chain's creator of the session
 * - `group`: the secret's group is not bound to the session, or is not on the manifest's access list
 * - `key`: the session key does not open under the group secret
 * - `chunk-missing`, `chunk-address`, `chunk-size`, `chunk-encrypted-hash`: the stored ciphertext is not
 *   there, or not the one listed
 * - `chunk-decrypt`: that ciphertext does not open under the session key
 * - `chunk-plaintext-hash`: it opens, but to other bytes than those anchored
 */
export type VerificationCode =
  | 'bad-input'
  | 'chain-unreachable'
  | 'chain-answer'
  | 'not-registered'
  | 'gateway-unreachable'
  | 'manifest-missing'
  | 'manifest-address'
  | 'manifest-malformed'
  | 'manifest-session'
  | 'count'
  | 'root'
  | 'uploader'
  | 'group'
  | 'key'
  | 'chunk-missing'
  | 'chunk-address'
  | 'chunk-size'
  | 'chunk-encrypted-hash'
  | 'chunk-decrypt'
  | 'chunk-plaintext-hash'
