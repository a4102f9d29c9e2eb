"""Functions of UUIDs. No I/O; the random ones come from the host."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from pipeline.dtl.casts import type_test
from pipeline.dtl.registry import DROP, Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.entity import uuid_of

uuids: Final = Subject("uuids", "UUIDs", "Identifiers of 128 bits, as RFC 9562 says.")


@uuids.special(
    "uuid",
    "[VALUES]",
    "Each string as the UUID that it is; what is none is left out. Without VALUES a new random one of version 4, "
    "another one each time.",
    shows(["is-uuid", ["uuid"]], True),
    shows(["uuid", "_S.id"], "~u9f598f65-eea5-4906-a8f5-82f6d8e69726", {"id": "9F598F65-EEA5-4906-A8F5-82F6D8E69726"}),
    shows(
        ["uuid", ["list", "9f598f65-eea5-4906-a8f5-82f6d8e69726", 5, "9f598f65"]],
        ["~u9f598f65-eea5-4906-a8f5-82f6d8e69726"],
    ),
    shows(["uuid", None], None),
    pure=False,
)
def _uuid(making: Making, call: Call) -> Run:
    if call.args[0] is None:
        return lambda scope: scope.host.uuid()
    values = making.expression(call.args[0])

    def run(scope: Scope) -> Any:
        found = values(scope)
        if type(found) is list:
            return [made for one in found if (made := _as_uuid(one)) is not DROP]
        made = _as_uuid(found)
        return None if made is DROP else made

    return run


def _as_uuid(value: Any) -> Any:
    if type(value) is UUID:
        return value
    found = uuid_of(value) if type(value) is str else None
    return DROP if found is None else found


type_test(
    uuids,
    "is-uuid",
    frozenset({UUID}),
    "Whether the first value is a UUID.",
    shows(["is-uuid", "~u9f598f65-eea5-4906-a8f5-82f6d8e69726"], True),
    shows(["is-uuid", ["list", "9f598f65-eea5-4906-a8f5-82f6d8e69726"]], False),
    shows(["is-uuid", None], False),
)
