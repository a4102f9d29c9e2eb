"""How a few facts stand in columns.

What is bound to a statement is of the plain types: for others sqlite3 looks for an adapter, each time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Final
from zlib import crc32

from pipeline.state import keys
from pipeline.state.facts import Full, MessageState

text_of: Final[Mapping[MessageState, str]] = {state: str(state.value) for state in MessageState}
LAST_GENERATION: Final = b"\xff" * 4


def checksum(envelope: str, content: bytes) -> int:
    """What is compared before stored bytes are sent: SQLite itself does not see most of what a disk gets wrong."""
    return crc32(content, crc32(envelope.encode("utf-8", "surrogatepass")))


def is_whole(envelope: object, content: object, total: object) -> bool:
    """Whether stored bytes are those that were stored. A bit that flipped may have made something else of a column."""
    return isinstance(envelope, str) and isinstance(content, bytes) and checksum(envelope, content) == total


def key_bytes(key: str, generation: int) -> bytes:
    """The key as it is stored: that of a further generation is longer."""
    plain = bytes.fromhex(key)
    return plain + generation.to_bytes(4, "big") if generation else plain


def generation_of(key: bytes) -> int:
    """The generation of a stored key."""
    return int.from_bytes(key[keys.SIZE :], "big")


def name_of(key: bytes) -> str:
    """A stored key as logs and answers show it."""
    return keys.name_of(key[: keys.SIZE].hex(), generation_of(key))


def recipients_text(recipients: Sequence[str]) -> str:
    """A JSON list, made without the detour of an encoder."""
    if len(recipients) == 1:
        return f"[{encode_basestring(recipients[0])}]"
    return f"[{','.join(map(encode_basestring, recipients))}]"


def full_text(full: Full) -> str:
    """The gate as it was when a message was discarded."""
    return json.dumps(full)


def full_of(text: str) -> Full | None:
    """The gate of a stored text; None if it is another one."""
    try:
        values = json.loads(text)
    except ValueError:
        return None
    return Full(*values) if isinstance(values, list) and len(values) == len(Full._fields) else None
