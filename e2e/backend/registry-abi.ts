import { parseAbi } from 'viem'

/** Interface of `HeadRegistry.sol`; its test holds the two together. */
export const registryAbi = parseAbi([
  'struct Head { bytes32 name; uint64 size; bytes32 root; bytes32 page; bytes32 previous; bytes32 groups; bool end; }',
  'struct Group { bytes32 id; bytes32 tag; }',
  'struct Member { bytes32 name; bytes32 tag; }',
  'function anchor(Head head, bytes32[2] publicKey, bytes32[2] signature, Group[] groups)',
  'function sessions(bytes32 name) view returns (bytes32 root, bytes32 page, uint64 size, uint32 anchors, uint48 firstBlock, uint48 lastBlock, uint40 lastTime, bool ended)',
  'function countOf(bytes32 groupId) view returns (uint256)',
  'function sessionsOf(bytes32 groupId, uint256 from, uint256 count) view returns (Member[])',
  'event Anchored(bytes32 indexed name, uint64 size, bytes32 root, bytes32 page, bytes32 previous, bytes32 groups, bool end, bytes32[2] publicKey, bytes32[2] signature, uint32 anchors, uint48 previousBlock)',
  'error NoP256Verify()',
  'error NotTheSessionsKey()',
  'error BadSignature()',
  'error GroupsDiffer()',
  'error NoGroups()',
  'error TooManyGroups()',
  'error Ended(uint64 size)',
])
