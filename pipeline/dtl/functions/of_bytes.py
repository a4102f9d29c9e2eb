"""Functions of bytes. No I/O."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from pipeline.dtl.casts import type_test
from pipeline.dtl.registry import DROP, Subject, shows
from pipeline.entity import bytes_of

of_bytes: Final = Subject("bytes", "Bytes", "What is neither text nor number. In JSON they stand in base64.")


@of_bytes.each(
    "base64-decode",
    "VALUES",
    str,
    "The bytes that each string in base64 stands for. What is no base64 is left out.",
    shows(["base64-decode", "_S.data"], "~bw6U=", {"data": "w6U="}),
    shows(["base64-decode", ["list", "YQ==", "a", 5, "Yg=="]], ["~bYQ==", "~bYg=="]),
    shows(["base64-decode", "YQ"], None),
)
def _decode(text: str) -> Any:
    found = bytes_of(text)
    return DROP if found is None else found


@of_bytes.each(
    "base64-encode",
    "VALUES",
    bytes,
    "The string in base64 that stands for bytes.",
    shows(["base64-encode", "_S.data"], "w6U=", {"data": "~bw6U="}),
    shows(["base64-encode", ["list", ["bytes", "a"], "a", ["bytes", "b"]]], ["YQ==", "Yg=="]),
    shows(["base64-encode", "a"], None),
)
def _encode(data: bytes) -> str:
    return b64encode(data).decode()


@of_bytes.each(
    "bytes",
    "VALUES",
    (str, bytes),
    "The bytes of each string in UTF-8. Bytes stay as they are.",
    shows(["bytes", "_S.name"], "~bw6U=", {"name": "å"}),
    shows(["bytes", ["list", "a", 5, "~bYg=="]], ["~bYQ==", "~bYg=="]),
    shows(["bytes", 5], None),
)
def _bytes(value: Any) -> Any:
    return value if type(value) is bytes else value.encode()


type_test(
    of_bytes,
    "is-bytes",
    frozenset({bytes}),
    "Whether the first value is bytes.",
    shows(["is-bytes", ["bytes", "a"]], True),
    shows(["is-bytes", ["list", "a", "~bYQ=="]], False),
    shows(["is-bytes", None], False),
)
