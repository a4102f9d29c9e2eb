"""Names of files for messages: safe whatever a key holds, and never longer than a file system takes. No I/O."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from systems.mail import Message

# With the time before it and an ending behind it, a name stays far below the 255 bytes that file systems take.
LONGEST_KEY: Final = 80

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_unsafe = re.compile(r"[^A-Za-z0-9_.-]")
_is_name = re.compile(r"[0-9a-f]{32}").fullmatch


def digest(data: bytes, size: int = 16) -> str:
    """What tells whether bytes are still the ones that were written."""
    return blake2b(data, digest_size=size).hexdigest()


def dated_name(nanoseconds: int, key: str) -> str:
    """`20260102T030405.678901Z-key`, in the order of the times.

    A key that cannot stand in a name is replaced by what can, with a mark of its own.
    """
    when = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    safe = _unsafe.sub("_", key)[:LONGEST_KEY]
    if safe != key:
        safe = f"{safe}-{digest(key.encode(errors='surrogatepass'), 4)}"
    return f"{when:%Y%m%dT%H%M%S.%fZ}-{safe}"


def own_name(message: Message) -> str:
    """A name that this message alone has: 32 digits, the same whenever its key, envelope and content are the same."""
    facts = [message.key, message.envelope, digest(message.content)]
    return digest(json.dumps(facts).encode())


def is_own_name(name: str) -> bool:
    """Whether `own_name` gives names like this."""
    return _is_name(name) is not None
