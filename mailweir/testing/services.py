"""Services in a test: each request is answered as the test says. Nothing is connected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from systems.http.exchange import HttpError, Request, shown

if TYPE_CHECKING:
    from urllib.parse import SplitResult


class MockedLine:
    """Gives, for each request in turn, the answer that it was given."""

    def __init__(self, name: str, answers: Sequence[Any]) -> None:
        """The name is for those who have given too little."""
        self._name = name
        self._answers = iter(answers)

    def open(self) -> None:
        """Nothing is to be opened."""

    def close(self) -> None:
        """Nor closed."""

    def send(self, parts: SplitResult, request: Request, headers: Mapping[str, str]) -> MockedResponse:
        """The next."""
        try:
            answer = next(self._answers)
        except StopIteration:
            place = shown(parts.geturl())
            raise HttpError(f"the mock `{self._name}` has no answer to {request.method} {place}") from None
        return MockedResponse(answer if isinstance(answer, Mapping) else {"body": answer})


class MockedResponse:
    """`status` (200), `headers`, and `body`: a text as it is, anything else as JSON; without all three no answer."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        """Take it as the test has it."""
        body = answer.get("body")
        kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
        self.status = int(answer.get("status", 200))
        self._breaks = not answer
        self._rest = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        given = {name.lower(): str(value) for name, value in answer.get("headers", {}).items()}
        self._headers = {"content-type": kind} | given

    def headers(self, name: str) -> Sequence[str]:
        """The values of a header."""
        return [self._headers[name.lower()]] if name.lower() in self._headers else []

    def names(self) -> Sequence[str]:
        """The names of all headers."""
        return list(self._headers)

    def read(self, most: int) -> bytes:
        """The next part of its content."""
        if self._breaks:
            raise HTTPException("it is cut")
        part, self._rest = self._rest[:most], self._rest[most:]
        return part

    def close(self) -> None:
        """Nothing is open."""
