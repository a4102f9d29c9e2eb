"""What stands in a journal, as bytes: each record checks itself, and reading ends where one is not whole. No I/O.

    length, checksum     4 bytes each; the checksum is over all that follows
    kind                 1 byte
    body                 begin: the format, owner and number of the segment
                         handing over: pairs of message id and claim number, 8 bytes each
                         settled: a JSON list of settlements

A segment is a file of zeros that is written from its start, so behind the last record there is a length of 0. A record
that was being written when its process was killed has a wrong checksum: it was not believed to be on record then, and
it is not now.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final
from zlib import crc32

import msgspec

from pipeline.state.facts import MessageState, Settlement

FORMAT: Final = 1
_head: Final = struct.Struct("<II")
_pair: Final = struct.Struct("<QQ")
_begin, _handing_over, _settled = b"b", b"h", b"s"
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(slots=True)
class Told:
    """What a journal tells: the claims whose last byte may have gone out, and the answers that are on record."""

    handed_over: dict[int, int] = field(default_factory=dict)
    """Message id → claim number."""
    settlements: dict[tuple[int, int], Settlement] = field(default_factory=dict)


def begin(owner: str, number: int) -> bytes:
    """The first record of a segment."""
    return _record(_begin, _encode([FORMAT, owner, number]).encode())


def handing_over(claims: Iterable[tuple[int, int]]) -> bytes:
    """The record that these claims, (message id, claim number), are about to be handed over."""
    numbers = tuple(chain.from_iterable(claims))
    return _record(_handing_over, struct.pack(f"<{len(numbers)}Q", *numbers))


def settled(settlements: Iterable[Settlement]) -> bytes:
    """The record of what became of claims."""
    values = tuple(settlements)
    try:
        body = msgspec.json.encode(values)
    except UnicodeEncodeError:  # half a character in what a server said
        body = _encode(values).encode("utf-8", "surrogatepass")
    return _record(_settled, body)


def read(data: bytes, owner: str, told: Told) -> None:
    """Add what a segment tells. One that begins as none of this owner's tells nothing."""
    records = _records(data)
    kind, body = next(records, (b"", b""))
    if kind != _begin or json.loads(body)[:2] != [FORMAT, owner]:
        return
    for kind, body in records:
        if kind == _handing_over:
            told.handed_over.update(_pair.iter_unpack(body))
        elif kind == _settled:
            for values in json.loads(body.decode("utf-8", "surrogatepass")):
                settlement = Settlement(*values)
                settlement = settlement._replace(state=MessageState(settlement.state))
                told.settlements[settlement.id, settlement.number] = settlement


def _record(kind: bytes, body: bytes) -> bytes:
    data = kind + body
    return _head.pack(len(data), crc32(data)) + data


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + _head.size <= len(data):
        length, checksum = _head.unpack_from(data, at)
        at += _head.size
        record = data[at : at + length]
        if not length or len(record) < length or crc32(record) != checksum:
            return
        yield record[:1], record[1:]
        at += length
