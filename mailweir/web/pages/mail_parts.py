"""What a message is made of, for people: its header as it stands and as it reads, its parts, and what to look at twice.

No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from mailweir.caught import Caught, leaves, payload
from mailweir.web.pages.mail_frame import Framed
from pipeline.config.glyphs import visible

# Gmail shows no more of a mail than that.
_CLIPPED_AT: Final = 102 * 1024
# A text for people, not a file: more of it nobody reads on a page.
MOST_TEXT: Final = 2**18
_address: Final = re.compile(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+")


class Field(NamedTuple):
    """A field of the header: as it stands, with its folded lines, and as it reads."""

    name: str
    folded: str
    decoded: str


class Part(NamedTuple):
    """A part that holds no others."""

    number: int
    type: str
    name: str
    size: int


class Check(NamedTuple):
    """Something about a mail: well, or to be looked at twice."""

    well: bool
    text: str


def fields(mail: Caught) -> list[Field]:
    """All of them, in their order."""
    head = mail.content.partition(b"\r\n\r\n")[0]
    folded = [one for one in re.split(rb"\r\n(?![ \t])", head) if b":" in one]
    return [
        Field(name, raw.decode(errors="replace"), value)
        for raw, (name, value) in zip(folded, mail.headers, strict=False)
    ]


def parts(mail: Caught) -> list[Part]:
    """All of them, in their order; none of what cannot be taken apart."""
    try:
        return [
            Part(number, one.get_content_type(), visible(one.get_filename() or ""), len(payload(one)))
            for number, one in enumerate(leaves(mail.message))
        ]
    except Exception:  # noqa: BLE001 - the parser promises no kind of error for content that means it ill
        return []


def part(mail: Caught, number: int) -> tuple[Part, bytes] | None:
    """One of them with what it holds."""
    found = next((one for one in parts(mail) if one.number == number), None)
    if found is None:
        return None
    return found, payload(next(one for at, one in enumerate(leaves(mail.message)) if at == number))


def named(mail: Caught) -> frozenset[str]:
    """The addresses that the header names as recipients, in small letters."""
    return frozenset(
        one.lower() for name, value in mail.headers if name.lower() in {"to", "cc"} for one in _address.findall(value)
    )


def checks(mail: Caught, framed: Framed | None) -> Iterator[Check]:
    """What is worth a look before many people get it."""
    if mail.text is not None:
        yield Check(True, "text part")
    elif framed is not None:
        yield Check(False, "no text part: some readers show nothing, and filters count it against the mail")
    if framed is not None:
        yield from _links(framed)
        if framed.remote:
            yield Check(False, f"{_counted(framed.remote, 'image')} of others, which many readers do not load")
        if framed.left_out:
            what = ", ".join(f"{many} × {name}" for name, many in framed.left_out.items())
            yield Check(False, f"left out, since no reader of mail runs or follows it: {what}")
        if framed.cut:
            yield Check(False, "too long to be shown whole: see the source")
    listed = mail.header("list-unsubscribe") is not None
    yield Check(listed, "List-Unsubscribe" if listed else "no List-Unsubscribe")
    size = len(mail.content)
    yield Check(size <= _CLIPPED_AT, size_of(size) + ("" if size <= _CLIPPED_AT else ": some readers cut it"))


def _links(framed: Framed) -> Iterator[Check]:
    links = [one for one in framed.links if not one.target.startswith("#")]
    if not links:
        return
    bad = [one for one in links if not one.target.lower().startswith(("https://", "mailto:", "tel:"))]
    told = f"{_counted(len(links), 'link')}, " + (f"{len(bad)} not https" if bad else "https")
    yield Check(not bad, told)


def size_of(size: int) -> str:
    """How long something is."""
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"


def lines(text: str, most: int = MOST_TEXT) -> Sequence[str]:
    """The lines of a text, each to be shown by itself."""
    shown = text[:most].replace("\r\n", "\n").split("\n")
    return [*shown, f"… and {len(text) - most:,} characters more"] if len(text) > most else shown


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
