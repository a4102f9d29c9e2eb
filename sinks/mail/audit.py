"""The last look at the bytes of a mail before anything may send them. No I/O.

It knows nothing of how they were written, only what they must be: whatever a fault of the writer or a trick in the
data did, a mail with another header than the intended one does not leave.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sinks.mail.encodings import has_mail_lines, has_short_lines

# The literal at its begin is what makes this search fast. A line that continues a field begins with a space.
_names = re.compile(rb"\n(?![ \t])([^:\n]*)").findall


def fault(content: bytes, names: Sequence[bytes], mark: bytes, marks: int) -> str | None:
    """Why these bytes are not the mail that was meant; None if they are.

    `names` are those of the header's fields in their order; each boundary begins with `mark`, and lines with
    boundaries number `marks`.
    """
    end = content.find(b"\r\n\r\n")
    if end < 0:
        return "the header has no end"
    if _names(b"\n" + content[:end]) != names:
        return "the header has other fields than the intended ones"
    if not has_mail_lines(content):
        return "a lone CR or LF, or a NUL"
    if not has_short_lines(content):
        return "a line of more than 998 bytes"
    if content.count(b"--" + mark) != marks:
        return "a boundary stands in the content"
    return None
