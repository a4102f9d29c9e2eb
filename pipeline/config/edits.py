"""Changing a text in a few places and in no other. No I/O."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence

from pipeline.config.tree import Document
from pipeline.errors import Edit


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made, all counted in the text as it was.

    Insertions at one place keep the order they are given in. Of edits that overlap the later one is left out.
    """
    pieces: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if edit.span.start >= at:
            pieces += text[at : edit.span.start], edit.text
            at = edit.span.end
    pieces.append(text[at:])
    return "".join(pieces)


def encode(document: Document, text: str) -> bytes:
    """The bytes of a file that holds `text` and is otherwise like the one the document was read from.

    For the document's own text these are the bytes that were read, wrong ones included.
    """
    body = text.encode("utf-8", "surrogateescape")
    return BOM_UTF8 + body if document.bom else body
