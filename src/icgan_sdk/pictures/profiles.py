"""ICC profiles for colours that files name by numbers instead of embedding a profile."""

import struct
from collections.abc import Mapping

PRIMARIES: Mapping[int, tuple[tuple[float, float, float], ...]] = {
    1: ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)),
    9: ((0.67348, 0.27904, -0.00193), (0.16567, 0.67534, 0.02998), (0.12505, 0.04561, 0.79683)),
    12: ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
}
"""Red, green and blue in XYZ under D50, by their numbers in ITU-T H.273: sRGB, BT.2020, P3."""

NAMES = {1: "sRGB", 9: "BT.2020", 12: "Display P3"}

D50 = (0.96420, 1.0, 0.82491)

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""Exponent and constants of sRGB's curve, a power above a straight line."""


def profile_for(primaries: int, curve: float | None = None) -> bytes | None:
    """A profile of version 4.

    Args:
        primaries: As in `PRIMARIES`.
        curve: Exponent by which numbers become light; None: sRGB's curve.

    Returns:
        The profile's bytes; None for primaries that are not known here.
    """
    if primaries not in PRIMARIES:
        return None
    kind, numbers = (3, SRGB_CURVE) if curve is None else (0, (curve,))
    trc = b"para" + struct.pack(">4xH2x", kind) + b"".join(map(_fixed, numbers))
    name = NAMES[primaries] + ("" if curve is None else f", gamma {curve:.2f}")
    parts = {b"desc": _text(name), b"cprt": _text("No copyright, use freely"), b"wtpt": _xyz(D50)}
    for letter, colour in zip("rgb", PRIMARIES[primaries], strict=True):
        parts[f"{letter}XYZ".encode()] = _xyz(colour)
        parts[f"{letter}TRC".encode()] = trc
    table, body = struct.pack(">I", len(parts)), b""
    start = 128 + 4 + 12 * len(parts)
    for tag, part in parts.items():
        table += struct.pack(">4sII", tag, start + len(body), len(part))
        body += part + b"\0" * (-len(part) % 4)
    size = start + len(body)
    header = struct.pack(">I4xI4s4s4s12x4s", size, 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header = header.ljust(68, b"\0") + b"".join(map(_fixed, D50))
    return header.ljust(128, b"\0") + table + body


def _fixed(number: float) -> bytes:
    return struct.pack(">i", round(number * 65536))


def _xyz(numbers: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, numbers))


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(data), 28) + data
