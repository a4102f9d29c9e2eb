"""Functions of addresses. No I/O."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote

from pipeline.dtl.casts import type_test
from pipeline.dtl.registry import Subject, shows
from pipeline.entity import URI

uris: Final = Subject("uris", "URIs", "Addresses, `https://example.com/` or `tel:+47-22-22-22-22`.")


@uris.each(
    "uri",
    "VALUES",
    (str, URI),
    "Each string as an address, as it stands: nothing in it is quoted.",
    shows(["uri", ["concat", "https://example.com/", "_S.name"]], "~rhttps://example.com/kari", {"name": "kari"}),
    shows(["uri", ["list", "tel:112", 112]], ["~rtel:112"]),
    shows(["uri", None], None),
)
def _uri(value: Any) -> URI:
    return URI(value) if type(value) is str else value


type_test(
    uris,
    "is-uri",
    frozenset({URI}),
    "Whether the first value is an address.",
    shows(["is-uri", "_S.home"], True, {"home": "~rhttps://example.com/"}),
    shows(["is-uri", ["list", "https://example.com/"]], False),
    shows(["is-uri", None], False),
)


@uris.each(
    "url-quote",
    "[SAFE] VALUES",
    str,
    "Each string as it can stand in an address: of its bytes in UTF-8 only letters, digits, `_.-~` and what is in SAFE "
    "stay as they are.",
    shows(["url-quote", "_S.name"], "Kari%20%C3%85s", {"name": "Kari Ås"}),
    shows(["url-quote", "/&", ["list", "a/b&c d", 5]], ["a/b&c%20d"]),
    shows(["url-quote", None], None),
)
def _quote(safe: Any, text: str) -> str:
    if safe is not None and type(safe) is not str:
        raise ValueError("SAFE is a string")
    return quote(text, safe=safe or "")


@uris.each(
    "url-unquote",
    "VALUES",
    str,
    "Each string without the quotes of addresses. Bytes that are no UTF-8 become `\N{REPLACEMENT CHARACTER}`.",
    shows(["url-unquote", "_S.name"], "Kari Ås", {"name": "Kari%20%C3%85s"}),
    shows(["url-unquote", ["list", "100%", 5, "a+b"]], ["100%", "a+b"]),
    shows(["url-unquote", 5], None),
)
def _unquote(text: str) -> str:
    return unquote(text)
