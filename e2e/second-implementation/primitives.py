"""What reader.py needs and Python's standard library lacks: ECDSA with P-256, X25519, AES-256-GCM.

Slow, short, and by no means in constant time: it judges in tests, and is no library for anybody's secrets.
"""
import hashlib
from functools import lru_cache


class Broken(Exception):
    """Bytes that are not what they should be, or do not open."""


def want(holds, error=Broken('malformed')):
    if not holds:
        raise error


uint = lambda data: int.from_bytes(data, 'big')

# ── P-256: SP 800-186 §3.2.1.3, ECDSA: FIPS 186-5 §6.4.2; points are Jacobian

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5, 1)
INFINITY = (1, 1, 0)


def double(point):
    x, y, z = point
    if z == 0 or y == 0:
        return INFINITY
    square = y * y % P
    beta, alpha = x * square % P, 3 * (x - z * z) * (x + z * z) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * square * square) % P, 2 * y * z % P


def add(one, other):
    (x1, y1, z1), (x2, y2, z2) = one, other
    if z1 == 0 or z2 == 0:
        return other if z1 == 0 else one
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, s1 = x1 * zz2 % P, y1 * z2 * zz2 % P
    h, r = (x2 * zz1 - u1) % P, (y2 * z1 * zz1 - s1) % P
    if h == 0:
        return double(one) if r == 0 else INFINITY
    hh = h * h % P
    x3 = (r * r - h * hh - 2 * u1 * hh) % P
    return x3, (r * (u1 * hh - x3) - s1 * h * hh) % P, h * z1 * z2 % P


def verifies(public_key, message, signature):
    x, y, r, s = (uint(half) for data in (public_key, signature) for half in (data[:32], data[32:]))
    if not (x < P and y < P and (y * y - x**3 + 3 * x - B) % P == 0 and 0 < r < N and 0 < s < N):
        return False
    inverse = pow(s, N - 2, N)
    by_base, by_key = uint(hashlib.sha256(message).digest()) * inverse % N, r * inverse % N
    key = (x, y, 1)
    table, point = (INFINITY, G, key, add(G, key)), INFINITY
    for bit in range(255, -1, -1):
        point = add(double(point), table[(by_base >> bit & 1) + 2 * (by_key >> bit & 1)])
    return point[2] != 0 and point[0] * pow(point[2], -2, P) % P % N == r


# ── X25519: RFC 7748 §5

Q = 2**255 - 19


@lru_cache(maxsize=None)
def x25519(scalar, point=b'\x09' + bytes(31)):
    k = int.from_bytes(scalar, 'little') & (2**254 - 8) | 2**254
    x1 = int.from_bytes(point, 'little') % 2**255 % Q
    x2, z2, x3, z3, swapped = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swapped != bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a % Q, c * b % Q, a * a % Q, b * b % Q
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % Q, x1 * (da - cb) ** 2 % Q
        x2, z2 = aa * bb % Q, e * (aa + 121665 * e) % Q
    if swapped:
        x2, z2 = x3, z3
    shared = x2 * pow(z2, Q - 2, Q) % Q
    want(shared != 0)
    return shared.to_bytes(32, 'little')


# ── AES-256: FIPS 197; GCM: SP 800-38D

def tables():
    log, power, value = {}, [], 1
    for exponent in range(255):
        power.append(value)
        log[value] = exponent
        value ^= value << 1 ^ (0x11b if value & 0x80 else 0)
    rotate = lambda byte, by: (byte << by | byte >> 8 - by) & 255
    inverse = lambda byte: power[-log[byte] % 255] if byte else 0
    sbox = [0x63 ^ v ^ rotate(v, 1) ^ rotate(v, 2) ^ rotate(v, 3) ^ rotate(v, 4) for v in map(inverse, range(256))]
    return sbox, [(b << 1 ^ (0x11b if b & 0x80 else 0)) for b in range(256)]


SBOX, TWICE = tables()


def expanded(key):
    words, round_constant = [key[at:at + 4] for at in range(0, 32, 4)], 1
    for at in range(8, 60):
        word = words[-1]
        if at % 8 == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word, round_constant = bytes([word[0] ^ round_constant]) + word[1:], TWICE[round_constant]
        elif at % 8 == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word)))
    return [b''.join(words[at:at + 4]) for at in range(0, 60, 4)]


def aes_block(round_keys, block):
    state = [a ^ b for a, b in zip(block, round_keys[0])]
    for at, round_key in enumerate(round_keys[1:], 1):
        moved = [SBOX[state[(place + 4 * (place % 4)) % 16]] for place in range(16)]
        if at < len(round_keys) - 1:
            mixed = []
            for c in range(0, 16, 4):
                column = moved[c:c + 4]
                every = column[0] ^ column[1] ^ column[2] ^ column[3]
                mixed += [column[r] ^ every ^ TWICE[column[r] ^ column[(r + 1) % 4]] for r in range(4)]
            moved = mixed
        state = [a ^ b for a, b in zip(moved, round_key)]
    return bytes(state)


def ghash(h, data):
    value = 0
    for at in range(0, len(data), 16):
        x, product, v = value ^ uint(data[at:at + 16]), 0, h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                product ^= v
            v = v >> 1 ^ (0xe1 << 120 if v & 1 else 0)
        value = product
    return value.to_bytes(16, 'big')


def gcm_open(key, iv, aad, sealed):
    want(len(sealed) >= 16)
    keys, text, tag = expanded(key), sealed[:-16], sealed[-16:]
    stream = lambda counter: aes_block(keys, iv + counter.to_bytes(4, 'big'))
    padded = lambda data: data + bytes(-len(data) % 16)
    lengths = b''.join((8 * len(data)).to_bytes(8, 'big') for data in (aad, text))
    authentic = ghash(uint(aes_block(keys, bytes(16))), padded(aad) + padded(text) + lengths)
    want(bytes(a ^ b for a, b in zip(authentic, stream(1))) == tag)
    blocks = range(0, len(text), 16)
    return b''.join(bytes(a ^ b for a, b in zip(text[at:at + 16], stream(2 + at // 16))) for at in blocks)
