"""The content of a message as it goes on the wire: lines end with CR LF, and nothing looks like the end. No I/O.

Servers differ in what a lone CR or LF means, and a message that uses the difference is read as two (SMTP smuggling).
So neither ever leaves here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Both patterns begin with a literal, which `re` looks for at the speed of memchr.
_lone_lf = re.compile(rb"\n(?<!\r\n)").search
# The first CR that is not followed by LF and then a byte other than a dot: in most content the end of the last line.
_odd_cr = re.compile(rb"\r(?!\n[^.])").search


@dataclass(slots=True)
class Content:
    """Content in wire form. `text` has CR LF at the end of every line, `stuffed` also dots where DATA needs them.

    `fault` says why it cannot be sent: then nothing else holds.
    """

    text: bytes
    stuffed: bytes
    seven_bit: bool
    fault: str | None = None


def prepare(content: bytes) -> Content:
    """The wire form of any bytes. What is in form already is not copied."""
    if b"\0" in content:
        return Content(b"", b"", seven_bit=True, fault="the content holds a NUL byte")
    odd = _odd_cr(content)
    ended = odd is not None and odd.start() == len(content) - 2 and content[-1:] == b"\n"
    if ended and content[:1] != b"." and not _lone_lf(content):
        return Content(content, content, content.isascii())
    text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if text and text[-2:] != b"\r\n":
        text += b"\r\n"
    stuffed = text.replace(b"\r\n.", b"\r\n..")
    return Content(text, b"." + stuffed if text[:1] == b"." else stuffed, text.isascii())
