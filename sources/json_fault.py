"""What is wrong with a piece of JSON that should be an entity, and where. No I/O."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from pipeline.config.given import advice, note
from pipeline.config.text import Limits, read
from pipeline.config.tree import Object, plain
from pipeline.config.validate import describe
from sources.json_cut import MOST_DEPTH
from sources.parts import Fault, Place, fault

# The reader that says best what is wrong makes a tree; a large piece gets the word of the decoder instead.
_MOST_READ: Final = 1_000_000
_at_byte: Final = re.compile(r"(.*) \(byte ([0-9]+)\)\Z", re.DOTALL)


def nested(name: str, place: Place, data: bytes, at: int) -> Fault:
    """An entity past the limit of levels."""
    return fault(name, place, data, ("E113", f"nested deeper than {MOST_DEPTH} levels", ""), at)


def broken(name: str, place: Place, data: bytes, why: str) -> Fault:
    """A piece that the decoder refused, as the reader of configurations tells it where it can."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        label = f"the byte 0x{data[error.start]:02X} is not UTF-8 here"
        help_ = advice("save the file as UTF-8")
        return fault(name, place, data, ("E112", "the file is not UTF-8", label), error.start, (help_,))
    if len(data) <= _MOST_READ:
        limits = Limits(_MOST_READ, MOST_DEPTH)
        document = read(data.decode(), name, limits=limits)
        for problem in document.problems:
            # A name that is given twice is no fault in data, where the last one counts.
            if problem.code != "E111":
                return Fault(replace(problem, fix=(), path=()), document.text, place)
    found = _at_byte.fullmatch(why)
    at = min(int(found[2]), len(data)) if found else 0
    return fault(name, place, data, ("E108", "this is not JSON", (found[1] if found else why).lower()), at)


def no_entity(name: str, place: Place, data: bytes, value: object) -> Fault | None:
    """Why a value is no entity; None if it is one."""
    if not isinstance(value, dict):
        what = describe(value)
        return fault(name, place, data, ("E218", f"an entity is an object, not {what}", what))
    if "_id" not in value:
        notes = (note("what becomes of an entity is remembered by its `_id`"), advice('add `"_id": "…"`'))
        return fault(name, place, data, ("E218", "this entity has no `_id`", "no `_id` in this object"), notes=notes)
    id_ = value["_id"]
    if isinstance(id_, str) and id_:
        return None
    message, label = ("the `_id` of this entity is empty", "") if id_ == "" else _other(id_)
    help_ = advice("write a name" if id_ == "" else "write it in quotes")
    told = fault(name, place, data, ("E218", message, label), notes=(help_,))
    if len(data) > _MOST_READ:
        return told
    document = read(data.decode(), name)
    member = document.root.members.get("_id") if isinstance(document.root, Object) else None
    if member is None or plain(member.value) != id_:
        return told
    return told._replace(problem=replace(told.problem, span=document.span(member.value)))


def _other(value: object) -> tuple[str, str]:
    what = describe(value)
    return f"the `_id` of this entity is {what}, not a string", what
