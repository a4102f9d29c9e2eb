"""Entities are posted to a service as lists of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.entity import Entity
from pipeline.receipt import Outcome, Receipt
from pipeline.run import StoppedError
from sinks.json import text_of
from systems.http.client import Http, HttpError, Request


class Post:
    """Posts batches. One that the service refuses is posted again one by one; trouble of the service ends the run."""

    def __init__(self, system: Http, url: str, headers: Mapping[str, str], *, skip_deleted: bool) -> None:
        """`url` is relative to the system."""
        self._system = system
        self._url = url
        self._headers = {"Content-Type": "application/json", **headers}
        self._skip_deleted = skip_deleted

    def write(self, entities: Sequence[Entity]) -> list[Receipt]:
        """Those that were refused; all others have been taken."""
        told: list[Receipt] = []
        ready: list[tuple[str, bytes]] = []
        for entity in entities:
            id_ = str(entity.get("_id", ""))
            if self._skip_deleted and entity.get("_deleted") is True:
                told.append(Receipt(id_, "", Outcome.SKIPPED))
                continue
            try:
                ready.append((id_, text_of(entity)))
            except ValueError as error:
                told.append(Receipt(id_, "", Outcome.REJECTED, str(error)))
        why = self._posted([text for _, text in ready]) if ready else ""
        if why:
            alone = [why] if len(ready) == 1 else [self._posted([text]) for _, text in ready]
            told += [
                Receipt(id_, "", Outcome.REJECTED, each) for (id_, _), each in zip(ready, alone, strict=True) if each
            ]
        return told

    def close(self) -> None:
        """Nothing is open between two requests."""

    def _posted(self, texts: Sequence[bytes]) -> str:
        """Post a list; why the service refuses it."""
        request = Request(self._url, "POST", headers=self._headers, body=b"[" + b",".join(texts) + b"]")
        try:
            with self._system.ask(request) as answer:
                for _ in answer.portions():
                    pass
        except HttpError as error:
            if error.refuses:
                return error.text
            raise StoppedError(error.text) from None
        return ""
