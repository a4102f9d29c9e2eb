"""Mail addresses as people write them: lists split, parts checked, faults placed. No I/O.

The grammar is RFC 5321 section 4.1.2 with the internationalised forms of RFC 6531; comments, folding and obsolete
forms of RFC 5322 are refused. Line breaks and control characters are refused everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LONGEST_LOCAL: Final = 64  # RFC 5321 section 4.5.3.1.1
LONGEST_DOMAIN: Final = 255  # RFC 5321 section 4.5.3.1.2
LONGEST_ADDRESS: Final = 254  # a path of 256 octets less its two brackets, section 4.5.3.1.3

NO_SEPARATOR: Final = "`;` separates nothing here: use commas"

_atext = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]"
_dot_string = re.compile(rf"{_atext}+(?:\.{_atext}+)*\Z")
_quoted_local = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e\u0080-\U0010ffff]|\\[\x20-\x7e])*"\Z')
_label = re.compile(r"[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\-\u0080-\U0010ffff]*[A-Za-z0-9\u0080-\U0010ffff])?\Z")
_literal = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\]\Z")
# Surrogates are no characters; the others end a line or cannot be seen.
_forbidden = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_quoted = re.compile(r'"(?:[^"\\]|\\.)*"')
_two_with_a_space = re.compile(r"@\S+\s.*@")


@dataclass(frozen=True, slots=True)
class Written:
    """An address with its display name, as written from `start` to `end` of a list; `fault` when it is none."""

    name: str
    address: str
    start: int
    end: int
    fault: str | None


def split(text: str) -> Iterator[Written]:
    """The addresses of a comma-separated list. Commas in quotes and brackets do not separate."""
    start = 0
    quoted = bracketed = escaped = False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character == "<":
            bracketed = True
        elif character == ">":
            bracketed = False
        elif character == "," and not bracketed:
            yield _item(text, start, index)
            start = index + 1
    yield _item(text, start, len(text))


def _item(text: str, start: int, end: int) -> Written:
    while start < end and text[start] in " \t":
        start += 1
    while end > start and text[end - 1] in " \t":
        end -= 1
    item = text[start:end]
    name, address = "", item
    if item.endswith(">") and "<" in item:
        opening = item.rindex("<")
        name, address = item[:opening].strip(), item[opening + 1 : -1]
        if len(name) > 1 and name.startswith('"') and name.endswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if not item:
        fault: str | None = "a comma too many" if text.strip(" \t") else "empty"
    elif _forbidden.search(item):
        fault = "a line break or control character"
    else:
        fault = _fault_around(_quoted.sub("", item)) or _fault_within(item, address)
    return Written(name, address, start, end, fault)


def _fault_around(item: str) -> str | None:
    """What is wrong with the signs round the address; `item` is without what stands in quotes."""
    opened, closed = item.count("<"), item.count(">")
    if '"' in item:
        return '`"` is never closed'
    if ";" in item:
        return NO_SEPARATOR
    if opened != closed:
        return "`<` is never closed" if opened > closed else "`>` closes nothing"
    if opened > 1 or _two_with_a_space.search(item):
        return "a comma is missing between two addresses"
    if opened and not item.endswith(">"):
        return "text after `>`"
    return None


def _fault_within(item: str, address: str) -> str | None:
    if not address:
        return "nothing between `<` and `>`"
    fault = fault_of(address)
    *name, last = item.split()
    if fault and name and address == item and fault_of(last) is None:
        return "`<` and `>` are missing round the address after the name"
    return fault


def fault_of(address: str) -> str | None:
    """Why this is not an address, in a few words; None if it is one."""
    if not address:
        return "empty"
    if "@" not in address:
        return "no `@`"
    local, _, domain = address.rpartition("@")
    if not local:
        return "nothing before `@`"
    if not domain:
        return "no domain after `@`"
    if _forbidden.search(address):
        return "a line break or control character"
    if not (_dot_string.match(local) or _quoted_local.match(local)):
        return _local_fault(local)
    if "=?" in local:  # programs that decode it would read another address
        return "an encoded word before `@`"
    if len(local.encode()) > LONGEST_LOCAL:
        return f"more than {LONGEST_LOCAL} bytes before `@`"
    if domain.startswith("["):
        return None if _literal.match(domain) else "not an address in the brackets"
    labels = domain.split(".")
    if any(not _label.match(label) or len(label.encode("utf-8")) > 63 * 4 for label in labels):
        return _domain_fault(domain)
    if any(len(label) > 63 for label in labels):  # RFC 1035 section 2.3.4
        return "more than 63 characters between two dots"
    if len(labels) == 1 and domain.lower() != "localhost":
        return "the domain has no dot"
    if len(domain.encode()) > LONGEST_DOMAIN or len(address.encode()) > LONGEST_ADDRESS:
        return f"more than {LONGEST_ADDRESS} bytes"
    return None


def _domain_fault(domain: str) -> str:
    if " " in domain:
        return "a space in the domain"
    if domain.endswith(".") and not domain.endswith(".."):
        return "a dot at the end"
    return "not a domain name after `@`"


def _local_fault(local: str) -> str:
    if local.lower().startswith("mailto:"):
        return "`mailto:` does not belong here"
    if ";" in local:
        return NO_SEPARATOR
    if "@" in local:
        return "two `@`"
    if " " in local:
        return "a space before `@`"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "a dot at the start, at the end, or twice before `@`"
    return "characters before `@` that need quotes"


@lru_cache(maxsize=1024)
def a_labels(domain: str) -> str | None:
    """The domain for servers that know ASCII only; None where old and new rules of IDNA would differ.

    Python has the rules of 2003, which turn the letters ß and ς and invisible joiners into something else: another
    domain, by the rules of 2008. What does not come back as it went is therefore not converted.
    """
    try:
        ascii_form = domain.encode("idna").decode("ascii")
        returned = ascii_form.encode("ascii").decode("idna")
    except UnicodeError:
        return None
    return ascii_form if returned == domain.lower() else None
