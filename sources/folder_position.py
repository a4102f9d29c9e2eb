"""Which files of a folder were read, as a position tells it. No I/O."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

# A fingerprint in a position: 64 bits in base64, so that ten thousand files are a hundred kilobytes.
_SIZE: Final = 8
_LENGTH: Final = 11
_form: Final = re.compile(
    r"(?P<done>[\w-]*);(?P<failed>[\w-]*);(?:(?P<at>[\w-]{11})\.(?P<count>[0-9]{1,12}))?", re.ASCII
)


def fingerprint(*facts: object) -> str:
    """The same text for the same file: of its name, and of what is another when it is written anew."""
    text = "\0".join(map(str, facts)).encode("utf-8", "surrogateescape")
    return urlsafe_b64encode(blake2b(text, digest_size=_SIZE).digest()).decode().rstrip("=")


@dataclass(slots=True)
class Position:
    """The fingerprints of files that were read, of those that could not be, and how far one of them was read.

    In a position that is stored, all that came of these files is stored too.
    """

    done: dict[str, None] = field(default_factory=dict)
    failed: dict[str, None] = field(default_factory=dict)
    at: str = ""
    count: int = 0

    @classmethod
    def of(cls, since: str | None) -> Position | None:
        """What a text tells; None if it is none of ours."""
        found = _form.fullmatch(since or "")
        if found is None or len(found["done"]) % _LENGTH or len(found["failed"]) % _LENGTH:
            return None
        return cls(_cut(found["done"]), _cut(found["failed"]), found["at"] or "", int(found["count"] or 0))

    def __str__(self) -> str:
        """The text."""
        return f"{''.join(self.done)};{''.join(self.failed)};{f'{self.at}.{self.count}' if self.at else ''}"

    def __contains__(self, mark: str) -> bool:
        """Whether nothing of a file is to be read."""
        return mark in self.done or mark in self.failed

    def keep(self, marks: set[str]) -> None:
        """Forget all but these."""
        self.done = {mark: None for mark in self.done if mark in marks}
        self.failed = {mark: None for mark in self.failed if mark in marks}
        if self.at not in marks:
            self.at, self.count = "", 0


def _cut(text: str) -> dict[str, None]:
    return dict.fromkeys(text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH))
