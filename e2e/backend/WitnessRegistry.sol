// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Witness registry
/// @notice The outside witness of a recording: which Merkle root and which manifest a session had, and when.
/// @dev Holds digests and addresses only, never evidence. Nobody can change another writer's session, and
///      nobody, not even the writer, can make a session shrink.
contract WitnessRegistry {
    struct Session {
        address creator;
        bytes32 merkleRoot;
        string manifestCid;
        uint256 chunkCount;
        uint64 createdAt;
        uint64 updatedAt;
    }

    /// @notice The session belongs to another address.
    error NotSessionOwner(address owner);
    /// @notice A session may only grow.
    error ChunkCountFell(uint256 from, uint256 to);
    /// @notice A session has the groups of its first call, in that order.
    error GroupsAreFixed();
    /// @notice A session must name its manifest.
    error EmptyManifestCid();
    /// @notice A session without a group could be read by nobody.
    error NoGroups();
    /// @notice There is nothing to witness.
    error NoChunks();

    /// @notice A session was created, or has a new root and manifest.
    event SessionUpdated(
        bytes32 indexed sessionId,
        address indexed uploader,
        bytes32 merkleRoot,
        string manifestCid,
        uint256 chunkCount,
        bytes32[] groupIds,
        uint256 timestamp
    );

    /// @notice A session as its last update left it; `creator` is zero where there is none.
    mapping(bytes32 sessionId => Session) public sessions;

    mapping(bytes32 sessionId => bytes32[]) private groupsOf;
    mapping(bytes32 sessionId => mapping(bytes32 groupId => bool)) private inGroup;

    /// @notice Witness the state of a session. The first caller owns it.
    /// @param sessionId the session's UUID: its 16 bytes, then 16 zero bytes
    /// @param merkleRoot SHA-256 Merkle root over the leaves of all chunks that the manifest lists
    /// @param manifestCid content address of the manifest
    /// @param chunkCount number of leaves under `merkleRoot`; never less than before
    /// @param groupIds who may read; the same list at each call
    function updateSession(
        bytes32 sessionId,
        bytes32 merkleRoot,
        string calldata manifestCid,
        uint256 chunkCount,
        bytes32[] calldata groupIds
    ) external {
        if (bytes(manifestCid).length == 0) revert EmptyManifestCid();
        if (groupIds.length == 0) revert NoGroups();
        if (chunkCount == 0) revert NoChunks();

        Session storage session = sessions[sessionId];
        if (session.creator == address(0)) {
            session.creator = msg.sender;
            session.createdAt = uint64(block.timestamp);
            groupsOf[sessionId] = groupIds;
            for (uint256 i = 0; i < groupIds.length; i++) inGroup[sessionId][groupIds[i]] = true;
        } else {
            if (session.creator != msg.sender) revert NotSessionOwner(session.creator);
            if (chunkCount < session.chunkCount) revert ChunkCountFell(session.chunkCount, chunkCount);
            bytes32[] memory fixedGroups = groupsOf[sessionId];
            if (keccak256(abi.encodePacked(fixedGroups)) != keccak256(abi.encodePacked(groupIds))) {
                revert GroupsAreFixed();
            }
        }
        session.merkleRoot = merkleRoot;
        session.manifestCid = manifestCid;
        session.chunkCount = chunkCount;
        session.updatedAt = uint64(block.timestamp);
        emit SessionUpdated(sessionId, msg.sender, merkleRoot, manifestCid, chunkCount, groupIds, block.timestamp);
    }

    /// @notice The groups that may read a session, as its first call gave them.
    function getSessionGroups(bytes32 sessionId) external view returns (bytes32[] memory) {
        return groupsOf[sessionId];
    }

    /// @notice Whether a group may read a session.
    function isContentInGroup(bytes32 sessionId, bytes32 groupId) external view returns (bool) {
        return inGroup[sessionId][groupId];
    }

    /// @notice Whether a leaf lies under the session's present root.
    /// @dev Parent = SHA-256(left ‖ right); a node without a sibling is promoted unchanged, so the path
    ///      depends on the number of leaves. A proof that is too short or too long proves nothing.
    /// @param leafHash SHA-256 of the chunk's 76-byte leaf
    /// @param proof the siblings from the leaf up, for each level that has one
    /// @param leafIndex position among the leaves, from 0 (not the chunk's index)
    function verifyChunk(bytes32 sessionId, bytes32 leafHash, bytes32[] calldata proof, uint256 leafIndex)
        external
        view
        returns (bool)
    {
        Session storage session = sessions[sessionId];
        uint256 width = session.chunkCount;
        if (leafIndex >= width) return false;

        bytes32 node = leafHash;
        uint256 position = leafIndex;
        uint256 used = 0;
        while (width > 1) {
            bool promoted = position % 2 == 0 && position + 1 == width;
            if (!promoted) {
                if (used == proof.length) return false;
                bytes32 sibling = proof[used++];
                node = position % 2 == 0
                    ? sha256(abi.encodePacked(node, sibling))
                    : sha256(abi.encodePacked(sibling, node));
            }
            position /= 2;
            width = (width + 1) / 2;
        }
        return used == proof.length && node == session.merkleRoot;
    }
}
