"""What a directory says of its attributes, and values of them as they come. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from pipeline.entity import Datetime

Kind = Literal["bytes", "int", "bool", "time", "uuid", "guid", "text"]

# RFC 4517 section 3.3, RFC 2252 section 4.3.2, RFC 4523 section 2, RFC 4530 section 2.1, and those of Active Directory.
_SYNTAXES: Final[Mapping[str, Kind]] = {
    **dict.fromkeys((f"1.3.6.1.4.1.1466.115.121.1.{n}" for n in (4, 5, 8, 9, 10, 23, 28, 40, 49)), "bytes"),
    "1.2.840.113556.1.4.907": "bytes",
    "1.3.6.1.4.1.1466.115.121.1.27": "int",
    "1.2.840.113556.1.4.906": "int",
    "1.3.6.1.4.1.1466.115.121.1.7": "bool",
    "1.3.6.1.4.1.1466.115.121.1.24": "time",
    "1.3.6.1.1.16.1": "uuid",
}
# Whatever a server tells of its schema, or hides. A GUID of Active Directory has its first parts backwards.
_KNOWN: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("audio", "jpegphoto", "objectsid", "photo", "thumbnaillogo", "thumbnailphoto"), "bytes"),
    **dict.fromkeys(("cacertificate", "crosscertificatepair", "usercertificate", "usersmimecertificate"), "bytes"),
    **dict.fromkeys(("userpassword", "userpkcs12", "x500uniqueidentifier"), "bytes"),
    **dict.fromkeys(("createtimestamp", "modifytimestamp", "whenchanged", "whencreated"), "time"),
    "entryuuid": "uuid",
    "objectguid": "guid",
}
_description: Final = re.compile(r"DESC\s+'[^']*'")
_names: Final = re.compile(r"\sNAME\s+(?:'([^']*)'|\(([^)]*)\))")
_word: Final = re.compile(r"\s(SUP|SYNTAX)\s+'?([\w.;-]+)")
# RFC 4517 section 3.3.13.
_time: Final = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,](\d{1,9})\d*)?(Z|[+-]\d\d(?:\d\d)?)", re.ASCII
)
_integer: Final = re.compile(r"-?\d{1,20}", re.ASCII)


def kinds(definitions: Iterable[str]) -> dict[str, Kind]:
    """The kinds of attributes by their names in small letters, of definitions as RFC 4512 section 4.1.2 has them."""
    above: dict[str, str] = {}
    syntaxes: dict[str, str] = {}
    for definition in definitions:
        text = _description.sub("", definition)
        if (named := _names.search(text)) is None:
            continue
        words = dict(_word.findall(text))
        for name in [named[1]] if named[1] is not None else re.findall("'([^']*)'", named[2]):
            if "SYNTAX" in words:
                syntaxes[name.lower()] = words["SYNTAX"]
            if "SUP" in words:
                above[name.lower()] = words["SUP"].lower()
    found: dict[str, Kind] = {}
    for name in {*above, *syntaxes}:
        one, seen = name, {name}
        while one not in syntaxes and one in above and above[one] not in seen:
            one = above[one]
            seen.add(one)
        if kind := _SYNTAXES.get(syntaxes.get(one, "")):
            found[name] = kind
    return found


def kind_of(name: str, known: Mapping[str, Kind]) -> Kind:
    """The kind of an attribute, whose name may have options."""
    base, *options = name.lower().split(";")
    if "binary" in options:
        return "bytes"
    return _KNOWN.get(base) or known.get(base, "text")


def value_of(kind: Kind, raw: bytes) -> object:
    """A value of its type; what does not have the form of it is text, and what is no text is bytes."""
    if kind == "bytes":
        return raw
    if kind == "guid" and len(raw) == 16:
        return UUID(bytes_le=raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw
    match kind:
        case "int" if _integer.fullmatch(text) and -(2**63) <= int(text) < 2**64:
            return int(text)
        case "bool" if text in {"TRUE", "FALSE"}:
            return text == "TRUE"
        case "time":
            return time_of(text) or text
        case "uuid":
            try:
                return UUID(text)
            except ValueError:
                return text
    return text


def time_of(text: str) -> Datetime | None:
    """The moment of a generalized time (RFC 4517 section 3.3.13); None if it is none."""
    found = _time.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, part, zone = found.groups()
    # A fraction is one of the smallest unit that is written.
    unit = 1 if second else 60 if minute else 3600
    ns = 0 if part is None else int(part.ljust(9, "0")) * unit
    offset = timedelta() if zone == "Z" else timedelta(hours=int(zone[1:3]), minutes=int(zone[3:] or 0))
    try:
        # A leap second is the first one of the next minute.
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), tzinfo=UTC)
        whole = moment + timedelta(seconds=min(int(second or 0), 60)) - (-offset if zone[0] == "-" else offset)
    except (ValueError, OverflowError):
        return None
    return Datetime(Datetime.of(whole).ns + ns)


def text_of_time(ns: int) -> str:
    """A moment as every directory takes it, without parts of its second: Active Directory wants the `.0`."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 1_000_000_000)
    return f"{moment.year:04}{moment:%m%d%H%M%S}.0Z"
