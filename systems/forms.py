"""The forms of what a configuration names outside of itself: hosts and paths. No I/O.

Nothing here asks whether a host answers or a file is there; only what can never be one is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

LONGEST_NAME: Final = 253  # RFC 1035 section 2.3.4, as text without the last dot
LONGEST_LABEL: Final = 63

# They end a line, cannot be seen, or (surrogates) are no characters.
_control: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_port: Final = re.compile(r"(?P<host>[^:]+|\[[^\]]*\]):(?P<port>[0-9]*)\Z")
# Letters of other alphabets are converted on the way; `_` is no part of the standard, and names of containers have it.
_odd: Final = re.compile(r"[^A-Za-z0-9_.\-\u0080-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Form:
    """What is wrong with the characters `start` to `end` of a text, as the rest of a sentence, and what to do."""

    words: str
    start: int
    end: int
    help: str = ""


def form_problem(given: Given, name: str, wrong: Form, help_: Sequence[str] = ()) -> Problem:
    """E203 at the characters that are wrong; `help_` where more is known of what was meant."""
    said = help_ or ((wrong.help,) if wrong.help else (f"write it, or leave `{name}` out",) if not wrong.end else ())
    place = given.inside(name, wrong.start, wrong.end) if wrong.end > wrong.start else given.value(name)
    return given.problem("E203", f"`{name}` {wrong.words}", name, at=place, notes=[advice(text) for text in said])


def path_faults(given: Given, names: Iterable[str]) -> Iterator[Problem]:
    """E203 for each of these properties that cannot be meant as a path."""
    for name in names:
        if (text := given.text(name)) is not None and (wrong := path_form(text)):
            yield form_problem(given, name, wrong)


def file_faults(given: Given, name: str) -> Iterator[Problem]:
    """E203 if this property cannot be the path of a file in the project."""
    yield from path_faults(given, (name,))
    text = given.text(name)
    if text and not is_below(text):
        wrong = Form("leads out of the project", 0, len(text), "put the file into the project's folder")
        yield form_problem(given, name, wrong)


def is_below(path: str) -> bool:
    """Whether a path stays in the folder from which it leads."""
    return not path.startswith("/") and ".." not in path.split("/")


def invisible(text: str) -> Form | None:
    """What can be in no name at all: control characters, and blanks at either end."""
    if not text:
        return Form("is empty", 0, 0)
    if found := _control.search(text):
        return Form("has a line break or control character", *found.span(), "remove it")
    if text != text.strip():
        end = len(text.rstrip())
        start, end = (end, len(text)) if end < len(text) else (0, len(text) - len(text.lstrip()))
        return Form("begins or ends with a space", start, end, "remove it")
    return None


def host_form(text: str) -> Form | None:
    """Why this is no host name and no address; None if it can be one. IPv6 may stand in brackets."""
    return invisible(text) or _of_something_else(text) or _numbers(text) or _name(text)


def _of_something_else(text: str) -> Form | None:
    end = len(text)
    if "://" in text:
        return Form("is a URL, not the name of a server", 0, end)
    for sign, words in (("@", "has an `@`, which no server's name has"), ("/", "has a path, which no server has")):
        if sign in text:
            return Form(words, text.index(sign), end, 'write the name alone: "mail.example.com"')
    for index, character in enumerate(text):
        if character.isspace():
            return Form("has a space", index, index + 1, 'write one name: "mail.example.com"')
        if not character.isprintable():
            return Form("has a character that cannot be seen", index, index + 1, "remove it")
    if found := _port.match(text):
        return Form("has a port in it", found.start("port") - 1, end, f'write the name alone: "{found["host"]}"')
    return None


def port_in(text: str) -> tuple[str, int] | None:
    """The two parts of `mail.example.com:587`."""
    found = _port.match(text)
    return (found["host"], int(found["port"])) if found and found["port"] else None


def _numbers(text: str) -> Form | None:
    """The fault of an address; None for a right one and for what is none."""
    end = len(text)
    if text[0] == "[" or ":" in text:
        inner = text[1:-1] if text[0] == "[" and text[-1] == "]" else text
        try:
            IPv6Address(inner)
        except ValueError:
            return Form("is not an IPv6 address", 0, end, "write the name of the server, or its whole address")
    elif text.rpartition(".")[2].isdigit():  # no top level domain is a number
        try:
            ip_address(text)
        except ValueError:
            return Form("is not an IP address", 0, end, "an address has four numbers up to 255: 192.0.2.1")
    return None


def _name(text: str) -> Form | None:
    if text[0] == "[" or ":" in text:
        return None
    if found := _odd.search(text):
        return Form(f"has a `{found[0]}`, which no name has", *found.span(), 'write the name alone: "mail.example.com"')
    start = 0
    for label in text.removesuffix(".").split("."):
        end = start + len(label)
        if not label:
            return Form("has a dot without a name beside it", start, start + 1, "remove it")
        if label[0] == "-" or label[-1] == "-":
            return Form("has a part that begins or ends with `-`", start, end)
        if len(label) > LONGEST_LABEL:
            return Form(f"has more than {LONGEST_LABEL} characters between two dots", start, end)
        start = end + 1
    return Form(f"has more than {LONGEST_NAME} characters", 0, len(text)) if len(text) > LONGEST_NAME + 1 else None


def path_form(text: str) -> Form | None:
    """Why this cannot be meant as the path of a file or folder; None if it can."""
    end = len(text)
    if text.lstrip().startswith("-----BEGIN"):
        return Form("holds the text of a file, not its path", 0, end, "put it into a file of its own and name that")
    if wrong := invisible(text):
        return wrong
    if "://" in text:
        help_ = f'write the path alone: "{text[len("file://") :]}"' if text.startswith("file:///") else ""
        return Form("is a URL, not a path", 0, end, help_)
    if text.startswith("~"):
        return Form("begins with `~`, which only a shell replaces", 0, 1, "write the whole path")
    return None
