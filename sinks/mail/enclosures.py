"""Files and pictures that go with a mail: fixed ones, and those that an entity names or brings. No I/O."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pipeline.errors import Problem
from sinks.mail.letter import Attachment
from sinks.mail.people import wrong

BYTES: Final = "~b"
"""What stands before base64 that is the bytes of a property."""
MOST: Final = 100
"""So many files go with one mail; more are an archive."""

Reads = Callable[[str], bytes | str]
"""The content of a file of the project's folder of attachments by its path there, or why it cannot be had."""


def no_files(path: str) -> bytes | str:
    """What there is to read where there are no files."""
    return f"there is no file `{path}`"


class Fault(NamedTuple):
    """Why something is no file that can go along."""

    text: str


@dataclass(frozen=True, slots=True)
class Enclosed:
    """Those of one kind: `fixed` ones for all mails, and those that the `property` of an entity holds."""

    fixed: tuple[Attachment, ...] = ()
    property: str = ""
    shown: bool = False
    """Whether they are pictures that the HTML shows."""

    def anything(self) -> bool:
        """Whether there can be one."""
        return bool(self.fixed or self.property)

    def of(self, values: Mapping[str, Any], reads: Reads) -> tuple[Attachment, ...] | Problem:
        """Those of an entity with these variables, or why its mail cannot go."""
        if not self.property or (held := values.get(self.property)) in (None, "", []):
            return self.fixed
        items = held if isinstance(held, list | tuple) else [held]
        if len(items) > MOST:
            return wrong("E506", f"`{self.property}` holds {len(items)} files; {MOST} go with one mail", self.property)
        found = list(self.fixed)
        for place, item in enumerate(items):
            made = enclosed(item, reads, shown=self.shown)
            if isinstance(made, Fault):
                at = f"`{self.property}`" if items is not held else f"`{self.property}[{place}]`"
                return wrong("E506", f"{at}: {made.text}", self.property)
            found.append(made)
        return tuple(found)


NOTHING: Final = Enclosed()


def enclosed(item: object, reads: Reads, *, shown: bool) -> Attachment | Fault:
    """A file as a configuration or an entity writes it: an object, the name of a file, or bytes."""
    if isinstance(item, str):
        item = {"content": item} if item.startswith(BYTES) else {"file": item}
    if not isinstance(item, Mapping):
        return Fault("not a file: write an object with `file`, `content` or `text`")
    texts: dict[str, str] = {}
    for key in ("file", "content", "text", "name", "content_type", "cid"):
        value = item.get(key)
        if value is not None and not isinstance(value, str):
            return Fault(f"`{key}` is not a text")
        if value is not None:
            texts[key] = value
    ways = [way for way in ("file", "content", "text") if way in texts]
    if len(ways) != 1:
        return Fault("one of `file`, `content` and `text` says what is in it")
    content = _content(ways[0], texts[ways[0]], reads)
    if isinstance(content, Fault):
        return content
    name = texts.get("name") or texts.get("file", "").rpartition("/")[2] or "attachment"
    cid = texts.get("cid", name) if shown else ""
    return Attachment(name, content, texts.get("content_type", ""), cid)


def _content(way: str, text: str, reads: Reads) -> bytes | Fault:
    if way == "file":
        read = reads(text)
        return read if isinstance(read, bytes) else Fault(read)
    if way == "text":
        return text.encode("utf-8", "replace")
    try:
        return binascii.a2b_base64("".join(text.removeprefix(BYTES).split()), strict_mode=True)
    except ValueError:
        return Fault("`content` is not base64")
