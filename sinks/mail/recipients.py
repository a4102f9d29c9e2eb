"""Who gets a mail, as entities say it: a text with commas, a list, objects with name and address. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from sinks.mail.letter import Mailbox
from sinks.mail.mailboxes import is_usual
from systems.address import fault_of, split

MOST: Final = 1000  # as for fixed recipients: more of them are data, one mail each
LONGEST_SHOWN: Final = 60

_GROUP: Final = "a group; write its addresses one by one"
_CONTROL: Final = "a line break or control character"

_group_name = re.compile(r"[^\"<:]*:").match
_control = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Wrong(NamedTuple):
    """What was written where an address should be, shortened and fit to be shown, and why it is none.

    `place` is that among the recipients, counted from 0.
    """

    place: int
    written: str
    fault: str


class Recipients(NamedTuple):
    """The recipients of one kind, each once, and what is wrong. Both are empty if nobody is named."""

    boxes: tuple[Mailbox, ...] = ()
    wrong: tuple[Wrong, ...] = ()


def recipients(value: object) -> Recipients:
    """The recipients that a value names. Nothing, null and blanks name nobody; what is no address is `wrong`."""
    if isinstance(value, str) and is_usual(value):  # most are one plain address
        return Recipients((Mailbox("", value),))
    boxes: dict[str, Mailbox] = {}
    wrong: list[Wrong] = []
    for place, (written, box) in enumerate(_each(value)):
        if place >= MOST:
            wrong.append(Wrong(place, "", f"more than {MOST} recipients"))
            break
        if isinstance(box, Mailbox):
            boxes.setdefault(identity(box.address), box)
        else:
            wrong.append(Wrong(place, _shown(written), box))
    return Recipients(tuple(boxes.values()), tuple(wrong))


def identity(address: str) -> str:
    """What is the same for two spellings of an address: domains know no case, what stands before them may."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def distinct(*kinds: Iterable[Mailbox]) -> tuple[str, ...]:
    """The addresses of all kinds of recipients, each once, in their order."""
    addresses: dict[str, str] = {}
    for kind in kinds:
        for _, address in kind:
            addresses.setdefault(identity(address), address)
    return tuple(addresses.values())


def _each(value: object) -> Iterator[tuple[object, Mailbox | str]]:
    """What is written, with the mailbox that it is or the fault that it has."""
    if isinstance(value, str):
        if _is_group(value):
            yield value, _GROUP
            return
        for item in split(value):
            if item.start < item.end:
                yield value[item.start : item.end], item.fault or Mailbox(item.name, item.address)
    elif isinstance(value, (list, tuple)):
        for one in value:
            if one is not None and not (isinstance(one, str) and not one.strip()):
                yield one, _one(one)
    elif value is not None:
        yield value, _one(value)


def _one(item: object) -> Mailbox | str:
    """One entry of a list."""
    if isinstance(item, str):
        if _is_group(item):
            return _GROUP
        first, *more = islice(split(item), 2)
        if more:
            return "several addresses in one entry; make each an entry of the list"
        return first.fault or Mailbox(first.name, first.address)
    if isinstance(item, dict):
        address, name = item.get("address"), item.get("name") or ""
        if not isinstance(address, str):
            return "an object without `address`" if address is None else "`address` is not a text"
        if not isinstance(name, str):
            return "`name` is not a text"
        return fault_of(address) or (_CONTROL if _control.search(name) else Mailbox(name, address))
    return "a list within a list" if isinstance(item, (list, tuple)) else "not a text"


def _is_group(text: str) -> bool:
    """Whether this is a group of RFC 5322 section 3.4: a name, a colon, addresses, a semicolon."""
    return text.rstrip().endswith(";") and _group_name(text) is not None


def _shown(written: object) -> str:
    if isinstance(written, dict):
        written = written.get("address") or "{…}"
    if isinstance(written, (list, tuple)):
        written = "[…]"
    text = _control.sub("\ufffd", written if isinstance(written, str) else repr(written))
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
