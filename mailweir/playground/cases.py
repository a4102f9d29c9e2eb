"""A case that becomes one more of a test file; what else stands there stays as it is written. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mailweir.testing.mails import text_lines
from mailweir.testing.spec import ENDING
from pipeline.config.text import read
from pipeline.config.tree import Array, Document, Object, plain

_ODD: Final = re.compile(r"[^\w.-]")


class CannotSaveError(ValueError):
    """The case cannot be added; the text says why."""


def files_for(pipe: str) -> Iterator[str]:
    """Names of files that cases of a pipe may go into, the first one first."""
    name = _ODD.sub("_", pipe).lstrip(".") or "pipe"
    yield f"{name}{ENDING}"
    yield f"{name}-cases{ENDING}"


def takes_cases(text: str | None, name: str) -> bool:
    """Whether cases belong into a file: a new one, or one that has some."""
    return text is None or _cases(read(text.encode(), name)) is not None


def case_of(name: str, entity: object, now: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is given and what came of it; of a mail what people read first, and its text."""
    case: dict[str, Any] = {"name": name}
    if now:
        case["now"] = now
    if not answer.get("mailing"):
        return {**case, "given": [entity], "expect": answer["entities"]}
    expect: dict[str, Any] = {"mails": []}
    for mail in answer["mails"]:
        if "code" in mail:
            expect.setdefault("rejected", []).append({"_id": mail["_id"], "code": mail["code"]})
        else:
            lines = {"text": text_lines(mail["text"])} if mail["text"] else {}
            named = {key: mail[key] for key in ("_id", "to", "cc", "bcc", "subject") if mail.get(key)}
            expect["mails"].append({**named, **lines})
    return {**case, "stage": "mail", "given": [entity], "expect": expect}


def with_case(text: str | None, name: str, pipe: str, case: Mapping[str, Any]) -> str:
    """The text of a test file with one more case; `name` is that of the file."""
    if text is None:
        return json.dumps({"type": "test", "pipe": pipe, "cases": [case]}, ensure_ascii=False, indent=2) + "\n"
    document = read(text.encode(), name)
    cases = _cases(document)
    if document.problems or cases is None:
        raise CannotSaveError(f"{name} has faults: see `mailweir check`")
    there = [one.get("name") for one in (plain(one) for one in cases.items) if isinstance(one, dict)]
    if case["name"] in there:
        raise CannotSaveError(f"{name} has a case `{case['name']}` already: give it another name")
    written = json.dumps(case, ensure_ascii=False, indent=2).replace("\n", "\n    ")
    at = cases.items[-1].end if cases.items else cases.start + 1
    comma = "," if cases.items else ""
    return f"{document.text[:at]}{comma}\n    {written}{document.text[at:]}"


def _cases(document: Document) -> Array | None:
    root = document.root
    member = root.members.get("cases") if isinstance(root, Object) else None
    return member.value if member is not None and isinstance(member.value, Array) else None
