"""Texts on their way through a field of a form and back, so that nothing but what was typed changes. No I/O.

A browser shows a text with ends of lines of its own and posts each as CR LF (HTML standard, section 4.10.21.8).
"""

from __future__ import annotations

from codecs import BOM_UTF8

# A browser leaves the first end of line out.
_first = "\n"


def can_be_edited(text: str) -> bool:
    """Whether all of it can be seen and comes back: no signs that are not shown, and one kind of ends of lines."""
    crlf = text.count("\r\n")
    one_kind = text.count("\r") == crlf and crlf in {0, text.count("\n")}
    return one_kind and all(one.isprintable() or one in "\n\r\t" for one in text)


def as_edited(text: str) -> str:
    """What stands in the field for a text."""
    return _first + text.replace("\r\n", "\n")


def as_posted(text: str, before: bytes | None) -> bytes:
    """What is stored for what came back, with the ends of lines and the mark that the text had."""
    plain = text.replace("\r\n", "\n")
    old = before or b""
    if b"\r\n" in old:
        plain = plain.replace("\n", "\r\n")
    return (BOM_UTF8 if old.startswith(BOM_UTF8) else b"") + plain.encode("utf-8", "surrogatepass")
