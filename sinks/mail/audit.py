"""The last look at the bytes of a mail before anything may send them. No I/O.

It knows nothing of how they were written, only what they must be: whatever a fault of the writer or a trick in the
data did, a mail with another header than the intended one does not leave.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sinks.mail.encodings import has_short_lines, mail_lines
from sinks.mail.letter import RefusedError


def is_wire_form(content: bytes, names: tuple[bytes, ...], mark: bytes, marks: int) -> bool:
    """Whether these bytes are as they cross the wire: no line begins with a dot, and the last one ends.

    `RefusedError` if they are not the mail that was meant. `names` are those of the header's fields in their order;
    each boundary begins with `mark`, and lines with boundaries number `marks`.
    """
    if not _header(names).match(content):
        ends = b"\r\n\r\n" in content
        raise RefusedError(
            "message", "the header has other fields than the intended ones" if ends else "the header has no end"
        )
    lines = mail_lines(content)
    if not lines:
        raise RefusedError("message", "a lone CR or LF, or a NUL")
    if not has_short_lines(content):
        raise RefusedError("message", "a line of more than 998 bytes")
    if content.count(b"--" + mark) != marks:
        raise RefusedError("message", "a boundary stands in the content")
    return lines == "wire" and content.endswith(b"\r\n")  # behind another end no server would see that of the mail


@lru_cache(maxsize=64)
def _header(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """A header of these fields to its end. A line that continues a field begins with a space."""
    fields = [rb"%b:[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+\r\n" % re.escape(name) for name in names]
    return re.compile(b"".join([*fields, b"\r\n"]))
