// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title Head registry
/// @notice The outside witness of recordings: which heads a session's log had, and when.
/// @dev Holds digests only, never evidence. A session belongs to whoever has its private key, whose public key is in
///      its name; who carries a head and pays for it has no say in it. Nobody, not even the key's holder, can take a
///      head back. docs/evidence-format.md says what the fields mean.
contract HeadRegistry {
    struct Head {
        bytes32 name;
        uint64 size;
        bytes32 root;
        bytes32 page;
        bytes32 previous;
        bytes32 groups;
        bool end;
    }

    struct Group {
        bytes32 id;
        bytes32 tag;
    }

    struct Member {
        bytes32 name;
        bytes32 tag;
    }

    /// @dev Three words of storage: the third has all the numbers.
    struct Session {
        bytes32 root;
        bytes32 page;
        uint64 size;
        uint32 anchors;
        uint48 firstBlock;
        uint48 lastBlock;
        uint40 lastTime;
        bool ended;
    }

    /// @notice This chain cannot verify signatures of P-256 (EIP-7951), without which no head can be taken.
    error NoP256Verify();
    /// @notice The session's name is that of another public key.
    error NotTheSessionsKey();
    /// @notice The signature is not by this key over this head.
    error BadSignature();
    /// @notice The groups of the call are not those that the head names.
    error GroupsDiffer();
    /// @notice A session without a group could be read by nobody.
    error NoGroups();
    /// @notice A session has at most 16 groups.
    error TooManyGroups();
    /// @notice The session has ended at this size, and nothing follows that.
    error Ended(uint64 size);

    /// @notice A head was taken. `anchors` counts those of the session, this one included; the one before it was taken
    ///         in `previousBlock`, 0 where there was none.
    event Anchored(
        bytes32 indexed name,
        uint64 size,
        bytes32 root,
        bytes32 page,
        bytes32 previous,
        bytes32 groups,
        bool end,
        bytes32[2] publicKey,
        bytes32[2] signature,
        uint32 anchors,
        uint48 previousBlock
    );

    uint256 private constant MAX_GROUPS = 16;
    address private constant P256VERIFY = address(0x100);

    /// @notice The newest head of a session; size 0 where there is none.
    mapping(bytes32 name => Session) public sessions;

    mapping(bytes32 groupId => Member[]) private membersOf;

    /// @dev A signature that holds must be told from one that does not: an address without code answers neither.
    constructor() {
        // RFC 6979, A.2.5: P-256, SHA-256, message "sample".
        bytes32 digest = sha256("sample");
        bytes32[2] memory publicKey = [
            bytes32(0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6),
            bytes32(0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299)
        ];
        bytes32[2] memory signature = [
            bytes32(0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716),
            bytes32(0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8)
        ];
        if (!verifies(digest, publicKey, signature) || verifies(~digest, publicKey, signature)) {
            revert NoP256Verify();
        }
    }

    /// @notice Bring a head. Anybody may, and pays.
    /// @dev A head that is no larger than the stored one succeeds and changes nothing, so that two carriers never refuse
    ///      each other.
    /// @param publicKey x, y of the session's key
    /// @param signature r, s by that key, P-256 with SHA-256, over the head's 185 bytes
    /// @param groups the session's groups, which its first head registers; later calls may leave them out
    function anchor(
        Head calldata head,
        bytes32[2] calldata publicKey,
        bytes32[2] calldata signature,
        Group[] calldata groups
    ) external {
        Session storage session = sessions[head.name];
        Session memory last = session;
        if (head.size <= last.size) return;
        if (last.ended) revert Ended(last.size);
        if (bytes16(head.name << 128) != bytes16(sha256(abi.encode(publicKey)))) revert NotTheSessionsKey();
        if (!verifies(digestOf(head), publicKey, signature)) revert BadSignature();
        if (last.size == 0) register(head.name, head.groups, groups);

        uint48 here = uint48(block.number);
        uint48 first = last.size == 0 ? here : last.firstBlock;
        uint32 anchors = last.anchors + 1;
        sessions[head.name] =
            Session(head.root, head.page, head.size, anchors, first, here, uint40(block.timestamp), head.end);
        emit Anchored(
            head.name,
            head.size,
            head.root,
            head.page,
            head.previous,
            head.groups,
            head.end,
            publicKey,
            signature,
            anchors,
            last.lastBlock
        );
    }

    /// @notice How many sessions are registered under a group.
    function countOf(bytes32 groupId) external view returns (uint256) {
        return membersOf[groupId].length;
    }

    /// @notice Sessions that are registered under a group, oldest first.
    /// @dev Anybody can register a session under any group: who knows the group's public key checks the tag.
    /// @param from how many of the oldest to leave out
    /// @param count how many to tell at most
    function sessionsOf(bytes32 groupId, uint256 from, uint256 count) external view returns (Member[] memory page) {
        Member[] storage all = membersOf[groupId];
        if (from > all.length) from = all.length;
        if (count > all.length - from) count = all.length - from;
        page = new Member[](count);
        for (uint256 i = 0; i < count; i++) page[i] = all[from + i];
    }

    function register(bytes32 name, bytes32 digest, Group[] calldata groups) private {
        if (groups.length == 0) revert NoGroups();
        if (groups.length > MAX_GROUPS) revert TooManyGroups();
        bytes memory named;
        for (uint256 i = 0; i < groups.length; i++) named = bytes.concat(named, groups[i].id, groups[i].tag);
        if (sha256(named) != digest) revert GroupsDiffer();
        for (uint256 i = 0; i < groups.length; i++) membersOf[groups[i].id].push(Member(name, groups[i].tag));
    }

    function digestOf(Head calldata head) private pure returns (bytes32) {
        return sha256(
            abi.encodePacked(
                "holdfast/head/v2", head.name, head.size, head.root, head.page, head.previous, head.groups, head.end
            )
        );
    }

    function verifies(bytes32 digest, bytes32[2] memory publicKey, bytes32[2] memory signature)
        private
        view
        returns (bool)
    {
        (bool ok, bytes memory answer) = P256VERIFY.staticcall(abi.encode(digest, signature, publicKey));
        return ok && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
    }
}
