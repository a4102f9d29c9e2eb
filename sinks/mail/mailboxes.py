"""Fields of addresses: names quoted or encoded, domains as the mail may have them. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sinks.mail.fields import LINE, clean, fold, stands_as_it_is, words
from sinks.mail.letter import Mailbox, RefusedError
from systems.address import a_labels, fault_of

# No RFC limits a name; what is longer than this is none.
LONGEST_NAME: Final = 240

# A part of what `systems.address` takes: what most addresses look like, seen in one step.
_usual_word = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_usual_label = r"(?!-)[A-Za-z0-9-]{1,63}+(?<!-)"
_usual = re.compile(
    rf"(?=[^@]{{1,64}}@)(?![^@]*=\?)(?=.{{3,254}}\Z){_usual_word}(?:\.{_usual_word})*+"
    rf"@(?:{_usual_label}\.)++{_usual_label}"
).fullmatch
# A phrase of atoms (RFC 5322 section 3.2.5) that nobody takes for an encoded word.
_atoms = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*").fullmatch
_special = re.compile(r'["\\]')


def is_usual(address: str) -> bool:
    """Whether this is an address of the usual kind; others may be addresses too."""
    return _usual(address) is not None


def mailboxes(name: str, boxes: Sequence[Mailbox], at: str, *, utf8: bool = False) -> str:
    """The field with these mailboxes; without any there is none."""
    if len(boxes) == 1:
        shown, address = boxes[0]
        if _usual(address) and (not shown or _atoms(shown)):
            line = f"{name}: {shown} <{address}>\r\n" if shown else f"{name}: {address}\r\n"
            if len(line) <= LINE + 2:
                return line
    return fold(name, _pieces(name, boxes, at, utf8=utf8)) if boxes else ""


def _pieces(field: str, boxes: Sequence[Mailbox], at: str, *, utf8: bool) -> Iterator[str]:
    last = len(boxes) - 1
    used = len(field) + 2
    for index, (shown, address) in enumerate(boxes):
        where = at if last == 0 else f"{at}.{index}"
        if not _usual(address):
            address = _written(address, where, utf8=utf8)  # noqa: PLW2901 - the same address, as it is written
        comma = "," * (index < last)
        phrase = _phrase(shown, where, used, utf8=utf8) if shown else []
        yield from phrase
        yield f" <{address}>{comma}" if phrase else f" {address}{comma}"
        used = LINE  # where the next one begins on its line is not known here


def _phrase(shown: str, at: str, used: int, *, utf8: bool) -> list[str]:
    shown = clean(at, shown).strip(" ")
    if len(shown) > LONGEST_NAME:
        raise RefusedError(at, f"a name of more than {LONGEST_NAME} characters")
    if not shown:
        return []
    if stands_as_it_is(shown, utf8=utf8) and len(shown) < LINE // 2:
        return [f" {shown}" if _atoms(shown) else ' "' + _special.sub(r"\\\g<0>", shown) + '"']
    return words(shown, used)  # what is long can be folded so: not every reader unfolds what is in quotes


def _written(address: str, at: str, *, utf8: bool) -> str:
    """The address for a header: with A-labels, unless the header may be UTF-8."""
    fault = fault_of(address)
    if fault:
        raise RefusedError(at, fault)
    if utf8 or address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    return f"{local}@{a_labels(domain)}"


def needs_utf8(boxes: Iterable[Mailbox]) -> bool:
    """Whether a header with these has to be UTF-8 (RFC 6532): not each part that is not ASCII has an ASCII form."""
    for _, address in boxes:
        if not address.isascii():
            local, _, domain = address.rpartition("@")
            if not local.isascii() or a_labels(domain) is None:
                return True
    return False
