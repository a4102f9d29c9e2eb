"""MurmurHash3 of 128 bits, in the variant for machines of 64 bits. No I/O.

Austin Appleby's public-domain algorithm; the numbers are its constants.
"""

from __future__ import annotations

from struct import iter_unpack
from typing import Final

_ALL: Final = (1 << 64) - 1
_C1: Final = 0x87C37B91114253D5
_C2: Final = 0x4CF5AD432745937F


def hash128(data: bytes, seed: int = 0) -> int:
    """The hash of some bytes; `seed` is a number of 32 bits."""
    h1 = h2 = seed
    size = len(data)
    whole = size & ~15
    for k1, k2 in iter_unpack("<QQ", data[:whole]):
        h1 ^= _first(k1)
        h1 = (h1 << 27 | h1 >> 37) & _ALL
        h1 = ((h1 + h2) * 5 + 0x52DCE729) & _ALL
        h2 ^= _second(k2)
        h2 = (h2 << 31 | h2 >> 33) & _ALL
        h2 = ((h2 + h1) * 5 + 0x38495AB5) & _ALL
    # What is left counts as if zeros were behind it; zeros change nothing.
    h1 ^= _first(int.from_bytes(data[whole : whole + 8], "little"))
    h2 ^= _second(int.from_bytes(data[whole + 8 :], "little"))
    h1 ^= size
    h2 ^= size
    h1 = (h1 + h2) & _ALL
    h2 = (h2 + h1) & _ALL
    h1 = _mixed(h1)
    h2 = _mixed(h2)
    h1 = (h1 + h2) & _ALL
    h2 = (h2 + h1) & _ALL
    return h2 << 64 | h1


def _first(k: int) -> int:
    k = k * _C1 & _ALL
    return ((k << 31 | k >> 33) & _ALL) * _C2 & _ALL


def _second(k: int) -> int:
    k = k * _C2 & _ALL
    return ((k << 33 | k >> 31) & _ALL) * _C1 & _ALL


def _mixed(h: int) -> int:
    """Each bit of the result depends on each bit of the number."""
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & _ALL
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & _ALL
    return h ^ h >> 33
