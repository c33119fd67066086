"""A reader of evidence format 2 in another language, from docs/evidence-format.md and the standards that it names alone.

Python 3.8 or later and its standard library; the curves and the cipher that this lacks are primitives.py beside it. It
judges in tests what `holdfast/verify` says (agreement.ts).

    python3 reader.py < questions     one JSON object a line, answered by one

    {"rpc": URL, "registry": "0x…", "gateway": URL, "name": hex, "groupKey": hex}   what is said of that session
    {"address": hex}                                                               the CID of these bytes
"""
import base64
import hashlib
import hmac
import json
import sys
import urllib.error
import urllib.request
from itertools import islice

from primitives import Broken, gcm_open, uint, verifies, want, x25519


class Refused(Exception):
    """The reading ends, with a code."""


sha256 = lambda *parts: hashlib.sha256(b''.join(parts)).digest()
hmac256 = lambda key, *parts: hmac.new(key, b''.join(parts), hashlib.sha256).digest()
u8, u16, u32, u64 = (lambda n, size=size: n.to_bytes(size, 'big') for size in (1, 2, 4, 8))

# ── HPKE: RFC 9180, base mode, single-shot; names as there

KEM_SUITE, HPKE_SUITE = b'KEM' + u16(0x20), b'HPKE' + u16(0x20) + u16(1) + u16(2)


def hpke_open(private_key, info, aad, sealed):
    extract = lambda suite, salt, label, ikm: hmac256(salt, b'HPKE-v1', suite, label, ikm)
    expand = lambda suite, prk, label, about, length: hmac256(
        prk, u16(length), b'HPKE-v1', suite, label, about, b'\x01')[:length]
    want(len(sealed) >= 48)
    enc = sealed[:32]
    eae_prk = extract(KEM_SUITE, b'', b'eae_prk', x25519(private_key, enc))
    shared = expand(KEM_SUITE, eae_prk, b'shared_secret', enc + x25519(private_key), 32)
    context = b'\x00' + extract(HPKE_SUITE, b'', b'psk_id_hash', b'') + extract(HPKE_SUITE, b'', b'info_hash', info)
    secret = extract(HPKE_SUITE, shared, b'secret', b'')
    key = expand(HPKE_SUITE, secret, b'key', context, 32)
    return gcm_open(key, expand(HPKE_SUITE, secret, b'base_nonce', context, 12), aad, sealed[32:])


# ── Content addresses: CIDv1; UnixFS as dag-pb, which a chunk of more than 1 MiB has one node of

LEAF_BYTES = 1_048_576
raw_cid = lambda digest, codec=0x55: 'b' + base64.b32encode(
    bytes([1, codec, 0x12, 32]) + digest).decode().lower().rstrip('=')


def file_cid(data):
    leaves = [data[at:at + LEAF_BYTES] for at in range(0, len(data), LEAF_BYTES)]
    if len(leaves) < 2:
        return raw_cid(sha256(data))

    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    field = lambda number, content: bytes([number << 3 | 2]) + varint(len(content)) + content
    number = lambda at, value: bytes([at << 3]) + varint(value)
    links = (field(1, bytes([1, 0x55, 0x12, 32]) + sha256(leaf)) + field(2, b'') + number(3, len(leaf)) for leaf in leaves)
    unixfs = number(1, 2) + number(3, len(data)) + b''.join(number(4, len(leaf)) for leaf in leaves)
    return raw_cid(sha256(b''.join(field(2, link) for link in links) + field(1, unixfs)), 0x70)


# ── Entries and pages

class Cursor:
    def __init__(self, data):
        self.data = data

    def take(self, length):
        want(length <= len(self.data))
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def uint(self, size, low=0, high=2**53 - 1):
        value = uint(self.take(size))
        want(low <= value <= high)
        return value


def parse_entry(data):
    left, entry = Cursor(data), {}
    kind = entry['kind'] = left.uint(1, 0, 3)
    if kind == 0:
        entry.update(at=left.uint(8), public_key=left.take(64), sealing_key=left.take(32), continues=left.take(32))
        try:
            entry['mime'] = left.take(left.uint(2, 1, 255)).decode('utf-8')
        except UnicodeDecodeError:
            raise Broken('not UTF-8')
        entry['groups'] = [(left.take(32), left.take(32), left.take(80)) for _ in range(left.uint(1, 1, 16))]
        ids = [group[0] for group in entry['groups']]
        want(ids == sorted(set(ids)))
        entry['metadata'] = left.take(left.uint(2))
    elif kind == 1:
        entry.update(index=left.uint(4), captured_at=left.uint(8), duration=left.uint(4))
        entry.update(size=left.uint(4, 16, 67108880), plaintext_hash=left.take(32), encrypted_hash=left.take(32))
        entry.update(iv=left.take(12), key=left.take(80), cid=left.take(left.uint(1, 21, 121)).decode('latin-1'))
        want(entry['cid'][0] == 'b' and set(entry['cid']) <= set('abcdefghijklmnopqrstuvwxyz234567'))
    elif kind == 2:
        entry.update(how=left.uint(1, 1, 3), at=left.uint(8), indexes=left.uint(4))
    else:
        entry.update(at=left.uint(8), sealed=left.take(left.uint(2)))
    want(left.data == b'')
    return entry


def ends(data):
    entry = parse_entry(data) if data is not None else {}
    return entry.get('kind') == 2 and entry['how'] == 1


def linked(number):
    return [number - 2**k for k in range(32) if 2 * number % 2**k == 0 and number - 2**k >= 1]


def parse_page(data, name):
    want(len(data) <= 262144)
    left = Cursor(data)
    want(left.take(16) == b'holdfast/page/v2' and left.take(32) == name)
    number = left.uint(4, 1)
    start = left.uint(4, number - 1, 0 if number == 1 else 2**32 - 1)
    sizes = [2**bit for bit in range(31, -1, -1) if start >> bit & 1]
    frontier = [(size, left.take(32)) for size in sizes]
    links = {of: left.take(32) for of in linked(number)}
    entries = [left.take(left.uint(2)) for _ in range(left.uint(2, 1))]
    want(left.data == b'' and start + len(entries) < 2**32)
    for at, entry in enumerate(entries):
        want((parse_entry(entry)['kind'] == 0) == (start + at == 0))
        want(not ends(entry) or at == len(entries) - 1)
    return {'number': number, 'from': start, 'frontier': frontier, 'links': links, 'entries': entries}


# ── Tree: RFC 9162

def appended(frontier, entry):
    grown, size, node = list(frontier), 1, sha256(b'\x00', entry)
    while grown and grown[-1][0] == size:
        size, node = 2 * size, sha256(b'\x01', grown.pop()[1], node)
    return grown + [(size, node)]


def root_of(frontier):
    node = frontier[-1][1]
    for _, left in reversed(frontier[:-1]):
        node = sha256(b'\x01', left, node)
    return node


# ── Reading, in the steps of the document

class Session:
    def __init__(self, rpc, registry, gateway, name, groupKey):
        self.rpc_url, self.registry, self.gateway = rpc, registry, gateway
        self.name, self.group_key, self.pages = bytes.fromhex(name), bytes.fromhex(groupKey), {}

    def rpc(self, method, *params):
        body = json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params}).encode()
        request = urllib.request.Request(self.rpc_url, body, {'content-type': 'application/json'})
        with urllib.request.urlopen(request) as response:
            return json.load(response)['result']

    def fetched(self, cid):
        try:
            with urllib.request.urlopen(f'{self.gateway}/ipfs/{cid}') as response:
                return response.read()
        except urllib.error.HTTPError:
            return None

    def heads(self):  # 1
        block, topic = self.rpc('eth_blockNumber'), '0x' + self.name.hex()
        call = {'to': self.registry, 'data': '0x7dbd2832' + self.name.hex()}
        words = lambda data: [bytes.fromhex(data[at:at + 64]) for at in range(2, len(data), 64)]
        told = words(self.rpc('eth_call', call, block))
        size, anchors, _first, at = (uint(word) for word in told[2:6])
        want(size > 0, Refused('not-registered'))
        heads = []
        while anchors > 0:
            logs = self.rpc('eth_getLogs', {'address': self.registry, 'fromBlock': hex(at), 'toBlock': hex(at), 'topics': [
                '0x5bcd5e65786b98613c579e00ef0803fad03f503491e5ee6e0625f21ee9ffe6eb', topic]})
            time = 1000 * int(self.rpc('eth_getBlockByNumber', hex(at), False)['timestamp'], 16)
            here = at
            for log in sorted(logs, key=lambda log: -int(log['logIndex'], 16)):
                w = words(log['data'])
                want(uint(w[10]) == anchors and at == here, Refused('heads-withheld'))
                heads.append({'size': uint(w[0]), 'root': w[1], 'page': w[2], 'previous': w[3], 'groups': w[4],
                              'end': uint(w[5]) == 1, 'key': w[6] + w[7], 'signature': w[8] + w[9], 'time': time})
                anchors, at = anchors - 1, uint(w[11])
            want(len(logs) > 0, Refused('heads-withheld'))
        heads.reverse()
        last = heads[-1]
        want((last['size'], last['root'], last['page'], last['end']) == (size, told[0], told[1], uint(told[7]) == 1),
             Refused('chain-answer'))
        want(all(a['size'] < b['size'] and not a['end'] for a, b in zip(heads, heads[1:])), Refused('chain-answer'))
        return heads

    def is_signed(self, head):
        fields = u64(head['size']), head['root'], head['page'], head['previous'], head['groups'], u8(head['end'])
        return sha256(head['key'])[:16] == self.name[16:] and verifies(
            head['key'], b''.join((b'holdfast/head/v2', self.name) + fields), head['signature'])

    def page(self, digest):  # 2
        if digest not in self.pages:
            data = self.fetched(raw_cid(digest))
            try:
                want(data is not None and sha256(data) == digest)
                self.pages[digest] = parse_page(data, self.name)
            except Broken:
                self.pages[digest] = None
        return self.pages[digest]

    def view(self, head):  # 3: the entries, the root at each size, whether it is one log and the head is that log's
        own, digests, found, good = self.page(head['page']), {}, {}, True
        queue = [(None, head['page'] if own else head['previous'])]
        for number, digest in queue:
            page = self.page(digest)
            good = good and (not page or number in (None, page['number']))
            number = page['number'] if page else number
            good = good and digests.setdefault(number, digest) == digest
            if digest not in found:
                found[digest] = page
                queue += page['links'].items() if page else []
        entries, listed, roots, size, frontier, before = {}, [], {}, 0, [], 0
        for page in sorted(filter(None, found.values()), key=lambda page: page['number']):
            number = page['number']
            if number == before + 1:
                good = good and page['from'] == size and page['frontier'] == frontier
            else:
                good = good and page['from'] >= size + number - before - 1
            good = good and not ends(entries.get(size - 1))
            size, frontier, before = page['from'], page['frontier'], number
            if frontier:
                roots[size] = root_of(frontier)
            for entry in page['entries']:
                listed.append((size, entry))
                entries[size], size, frontier = entry, size + 1, appended(frontier, entry)
                roots[size] = root_of(frontier)
        if own:
            good = good and (size, roots.get(size), ends(entries.get(size - 1))) == (head['size'], head['root'], head['end'])
        else:
            good = good and size < head['size']
        has_all = own and all(found.values())
        return entries, roots, good and self.has_groups(head, entries.get(0)), has_all, listed

    @staticmethod
    def has_groups(head, first):
        return first is None or sha256(*(id + tag for id, tag, _ in parse_entry(first)['groups'])) == head['groups']

    def log(self, heads):  # 4: all that stands, its times, what is apart, a word for each head, the last that is good
        within = [head for head in heads if head['size'] < 2**32]
        signed = [head for head in within if self.is_signed(head)]
        want(signed, Refused('head-signature'))
        whole, until = None, 0
        for at, last in enumerate(signed):
            entries, roots, good, _, _ = self.view(last)
            if good and len(entries) == last['size'] and all(
                    roots.get(head['size']) == head['root'] and ends(entries[head['size'] - 1]) == head['end']
                    and self.has_groups(head, entries[0]) for head in signed[:at + 1]):
                whole, until = entries, last['size']
        log, times, apart, verdicts, accepted, forked, given = {}, {}, {}, [], [], False, 0
        for head in heads:
            if head not in signed:
                forked = forked or head not in within
                verdicts.append('bad-signature' if head in within else 'forked')
                continue
            if head['size'] <= until:
                entries = {at: whole[at] for at in range(head['size'])}
                listed, has_all = entries.items(), True
            else:
                entries, roots, good, has_all, listed = self.view(head)
                forked = forked or not good or not self.has_groups(head, log.get(0)) or any(
                    roots.get(earlier['size'], earlier['root']) != earlier['root'] for earlier in accepted
                ) or any(log.get(at, entry) != entry for at, entry in entries.items())
            verdicts.append('forked' if forked else 'good')
            if not forked:
                accepted.append(head)
                given = head['size'] if has_all else given
            for at, entry in listed:
                if forked and log.get(at) != entry:
                    apart[f'{at} {sha256(entry).hex()}'] = True
                elif not forked and at not in log:
                    log[at], times[at] = entry, head['time']
        want(accepted, Refused('root'))
        of = iter(accepted)
        first = next(of)
        for at in range(given):
            while first['size'] <= at:
                first = next(of)
            times[at] = first['time']
        return log, times, sorted(apart), verdicts, accepted[-1]

    def opened(self, secret, at, sealed):
        def refuse(_):
            raise ValueError('no JSON')
        try:
            value = hpke_open(secret, b'holdfast/note/v2' + self.name + u64(at), b'', sealed).decode('utf-8')
            value = json.loads(value, parse_constant=refuse)
        except (Broken, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def read(self):
        log, times, apart, verdicts, last = self.log(self.heads())
        want(0 in log, Refused('first-page'))
        first = parse_entry(log[0])  # 5
        want(sha256(first['public_key'])[:16] == self.name[16:], Refused('groups'))
        group_public = x25519(self.group_key)
        group_id = sha256(b'holdfast/group/v2', group_public)
        mine = [sealed for id, tag, sealed in first['groups'] if id == group_id and tag == hmac256(group_public, self.name)]
        want(mine, Refused('group'))
        try:
            secret = hpke_open(self.group_key, b'holdfast/session-key/v2' + self.name + group_id, b'', mine[0])
            want(len(secret) == 32 and x25519(secret) == first['sealing_key'])
        except Broken:
            raise Refused('key')
        lost, at = [], 0
        for position in sorted(log) + [last['size']]:
            if position > at:
                lost.append([at, position])
            at = position + 1
        chunks, repeated, notes, indexes = {}, [], [], 0
        for position in sorted(log):
            entry = parse_entry(log[position])
            if entry['kind'] == 3:
                value = self.opened(secret, entry['at'], entry['sealed'])
                notes.append('does not open' if value is None else value)
            elif entry['kind'] == 2:
                indexes = entry['indexes'] if entry['indexes'] < 2**32 - 1 else 0
            elif entry['kind'] == 1 and entry['index'] in chunks:
                repeated.append(position)
            elif entry['kind'] == 1:
                chunks[entry['index']] = {**entry, 'time': times[position]}
        final = log.get(last['size'] - 1)  # 8
        how = parse_entry(final).get('how', 0) if final is not None else int(last['end'])
        missing = (index for index in range(max([indexes - 1, *chunks]) + 1) if index not in chunks)
        said = [self.judged(secret, chunks[index]) for index in sorted(chunks)]
        return {
            'startedAtMs': first['at'], 'mimeType': first['mime'],
            'metadata': self.opened(secret, first['at'], first['metadata']) if first['metadata'] else None,
            'notes': notes, 'ending': ('open', 'complete', 'interrupted', 'discarded')[how], 'size': last['size'],
            'heads': verdicts, 'lost': lost, 'forked': apart, 'repeated': repeated,
            'missing': list(islice(missing, 1_000_000)), 'chunks': said}

    def judged(self, secret, chunk):  # 6
        said, place, data = {'index': chunk['index'], 'existedBeforeMs': chunk['time']}, self.name + u32(chunk['index']), b''
        try:
            data = self.fetched(chunk['cid'])
            want(data is not None, Broken('chunk-missing'))
            want(file_cid(data) == chunk['cid'], Broken('chunk-address'))
            want(len(data) == chunk['size'], Broken('chunk-size'))
            want(sha256(data) == chunk['encrypted_hash'], Broken('chunk-encrypted-hash'))
            try:
                key = hpke_open(secret, b'holdfast/chunk-key/v2' + place, place, chunk['key'])
                plaintext = gcm_open(key, chunk['iv'], place, data)
            except Broken:
                raise Broken('chunk-decrypt')
            want(sha256(plaintext) == chunk['plaintext_hash'], Broken('chunk-plaintext-hash'))
        except Broken as broken:
            return {**said, 'verdict': str(broken)}
        return {**said, 'verdict': 'proved', 'plaintextHash': sha256(plaintext).hex()}


def answer(question):
    if 'address' in question:
        return file_cid(bytes.fromhex(question['address']))
    try:
        return Session(**question).read()
    except Refused as refused:
        return {'refused': str(refused)}


if __name__ == '__main__':
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
