import { parseAbi } from 'viem'

/** Interface of `WitnessRegistry.sol`; its test holds the two together. */
export const registryAbi = parseAbi([
  'function updateSession(bytes32 sessionId, bytes32 merkleRoot, string manifestCid, uint256 chunkCount, bytes32[] groupIds)',
  'function sessions(bytes32 sessionId) view returns (address creator, bytes32 merkleRoot, string manifestCid, uint256 chunkCount, uint64 createdAt, uint64 updatedAt)',
  'function getSessionGroups(bytes32 sessionId) view returns (bytes32[])',
  'function isContentInGroup(bytes32 sessionId, bytes32 groupId) view returns (bool)',
  'function verifyChunk(bytes32 sessionId, bytes32 leafHash, bytes32[] proof, uint256 leafIndex) view returns (bool)',
  'event SessionUpdated(bytes32 indexed sessionId, address indexed uploader, bytes32 merkleRoot, string manifestCid, uint256 chunkCount, bytes32[] groupIds, uint256 timestamp)',
  'error NotSessionOwner(address owner)',
  'error ChunkCountFell(uint256 from, uint256 to)',
  'error GroupsAreFixed()',
  'error EmptyManifestCid()',
  'error NoGroups()',
  'error NoChunks()',
])
