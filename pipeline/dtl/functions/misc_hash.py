"""The function that hashes. No I/O."""

from __future__ import annotations

from typing import Any

from pipeline.dtl.functions.misc import misc
from pipeline.dtl.murmur3 import hash128
from pipeline.dtl.registry import shows

__all__ = ["misc"]


@misc.each(
    "hash128",
    "ALGORITHM [SEED] VALUES",
    (str, bytes),
    "A hash of 128 bits of each string, in UTF-8, and of bytes, as a whole number. ALGORITHM is `murmur3`; SEED is a "
    "number of 32 bits, or 0. It finds what has changed, and keeps no secret.",
    shows(["hash128", "murmur3", "_S.name"], 79288814531502156922675520770894684786, {"name": "Kari"}),
    shows(
        ["hash128", "murmur3", 7, ["list", "", ["bytes", "a"], 5]],
        [61007033164000864805776466664079935887, 127373377930535971356418713755341875784],
    ),
    shows(["hash128", "murmur3", None], None),
)
def _hash128(algorithm: Any, seed: Any, value: Any) -> int:
    if algorithm != "murmur3":
        raise ValueError("ALGORITHM is `murmur3`")
    if seed is not None and (type(seed) is not int or not 0 <= seed < 1 << 32):
        raise ValueError("SEED is a whole number from 0 to 4,294,967,295")
    return hash128(value if type(value) is bytes else value.encode(), seed or 0)
