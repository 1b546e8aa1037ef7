"""The ring of README.md in another language: compares itself with ring.json, or writes that file when told to (--write)."""
import json
import math
import pathlib
import sys

MASK = 0xFFFFFFFF
C = [0x239B961B, 0xAB0E9789, 0x38B34AE5, 0xA1E38B93]
ADDED = [0x561CCD1B, 0x0BCAA747, 0x96CD1C35, 0x32AC3B17]


def rotate(word, bits):
    return ((word << bits) | (word >> (32 - bits))) & MASK


def scramble(lane, word):
    return rotate(word * C[lane] & MASK, 15 + lane) * C[(lane + 1) % 4] & MASK


def avalanche(word):
    word = (word ^ (word >> 16)) * 0x85EBCA6B & MASK
    word = (word ^ (word >> 13)) * 0xC2B2AE35 & MASK
    return word ^ (word >> 16)


def add_up(h):
    h[0] = sum(h) & MASK
    h[1:] = [(word + h[0]) & MASK for word in h[1:]]


def murmur3_x86_128(key, seed=0):
    h = [seed] * 4
    whole = len(key) - len(key) % 16
    words = [int.from_bytes(key[at : at + 4], "little") for at in range(0, whole + 16, 4)]
    for block in range(0, whole // 4, 4):
        for lane in range(4):
            mixed = rotate(h[lane] ^ scramble(lane, words[block + lane]), 19 - 2 * lane)
            h[lane] = ((mixed + h[(lane + 1) % 4]) * 5 + ADDED[lane]) & MASK
    for lane in range(4):
        h[lane] ^= scramble(lane, words[whole // 4 + lane]) ^ len(key)
    add_up(h)
    h = [avalanche(word) for word in h]
    add_up(h)
    return b"".join(word.to_bytes(4, "little") for word in h)


def position(key):
    digest = murmur3_x86_128(key)
    h1, h2 = int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")
    return (h1 << 32 | h2) >> 11


def points(nodes, virtual_nodes):
    found = []
    for node in nodes:
        name = node["node"].encode()
        for vnode in range(max(1, math.floor(virtual_nodes * node["weight"] + 0.5))):
            key = len(name).to_bytes(4, "little") + name + vnode.to_bytes(4, "little")
            found.append((position(key), node["node"], vnode))
    return sorted(found)


def owners(ring, at):
    following = [name for place, name, _ in ring if place >= at] + [name for place, name, _ in ring if place < at]
    return list(dict.fromkeys(following))


def shares(ring):
    arcs = {}
    last = ring[-1][0] - 2**53
    for place, name, _ in ring:
        arcs[name] = arcs.get(name, 0) + place - last
        last = place
    return {name: str(arc) for name, arc in sorted(arcs.items())}


def verify():
    """The published verification of SMHasher."""
    hashes = b"".join(murmur3_x86_128(bytes(range(n)), 256 - n) for n in range(256))
    assert int.from_bytes(murmur3_x86_128(hashes)[:4], "little") == 0xB3ECE62A


TEXTS = ["", "a", "ab", "abc", "abcd", "user:42", "sixteen bytes ok", "sixteen bytes and one more", "größer", "鍵", "🔑", "x" * 100]
BYTES = ["00", "0000", "ff", "80ff00", "00010203040506070809", "".join(f"{i:02x}" for i in range(256))]
RINGS = [
    {"virtualNodes": 160, "nodes": [{"node": f"node-{i}", "weight": 1} for i in range(5)]},
    {"virtualNodes": 8, "nodes": [{"node": "n1", "weight": 1}, {"node": "n11", "weight": 2.5}, {"node": "größer", "weight": 0.01}]},
    {"virtualNodes": 1, "nodes": [{"node": "only", "weight": 1}]},
]


def vectors():
    texts = [{"text": text, "position": str(position(text.encode()))} for text in TEXTS]
    binary = [{"hex": text, "position": str(position(bytes.fromhex(text)))} for text in BYTES]
    rings = []
    for ring in RINGS:
        sorted_points = points(ring["nodes"], ring["virtualNodes"])
        keys = [f"key-{i}" for i in range(20)] + TEXTS
        lookups = [{"key": key, "owners": owners(sorted_points, position(key.encode()))} for key in keys]
        rings.append({**ring, "shares": shares(sorted_points), "lookups": lookups})
    return {"positions": texts + binary, "rings": rings}


if __name__ == "__main__":
    verify()
    path = pathlib.Path(__file__).with_name("ring.json")
    if "--write" in sys.argv:
        path.write_text(json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == vectors(), "ring.json says otherwise"
    print("ring.json agrees")
