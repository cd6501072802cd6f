"""Damage to files: bits, bytes and lengths changed, parts cut, added, removed and exchanged."""

import random
import re

EXTREMES = (0, 1, 2, 3, 4, 8, 255, 2**16, 2**31 - 1, -1, -(2**31), 2**30)
WORDS = [*map(str, EXTREMES), "9" * 30, "1e999", "nan", "-inf", "x", "", "1 2", "0x10", "1.5"]
MUTATIONS = ("bits", "bytes", "length", "cut", "insert", "remove", "repeat", "exchange")


def mutate(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    """One kind of damage, once or several times, mostly where the file has its structure."""
    kind = chance.choice(MUTATIONS)
    is_ascii = data[:2] == b"4\n"
    structure = [m.start() for m in re.finditer(rb"V 1|\n\d+\n", data)] or [0]
    found = bytearray(data)
    for _ in range(1 if kind == "cut" else chance.choice([1, 1, 1, 2, 5, 20])):
        if not found:
            break
        at = chance.choice(structure) + chance.randint(-40, 90)
        at = at if chance.random() < 0.8 else chance.randrange(len(data))
        damage(kind, found, min(max(at, 0), len(found) - 1), is_ascii, chance)
    return kind, bytes(found)


def damage(kind: str, data: bytearray, at: int, is_ascii: bool, chance: random.Random) -> None:
    """Change the data in place around a position."""
    size = chance.choice([1, 4, 8, 50, 1000])
    if kind == "bits":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "bytes":
        data[at : at + size] = chance.randbytes(len(data[at : at + size]))
    elif kind == "length" and is_ascii:
        line_end = data.find(b"\n", at)
        next_end = data.find(b"\n", line_end + 1)
        data[line_end + 1 : max(next_end, line_end + 1)] = chance.choice(WORDS).encode()
    elif kind == "length":
        width = chance.choice([4, 8])
        data[at : at + width] = chance.choice(EXTREMES).to_bytes(width, "little", signed=True)
    elif kind == "cut":
        del data[at:]
    elif kind == "insert":
        data[at:at] = chance.randbytes(size)
    elif kind == "remove":
        del data[at : at + size]
    elif kind == "repeat":
        data[at:at] = data[at : at + size] * chance.randint(1, 20)
    else:
        other = chance.randrange(len(data))
        data[at : at + size], data[other : other + size] = (
            data[other : other + size],
            data[at : at + size],
        )
