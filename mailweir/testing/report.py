"""Verdicts for machines. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from mailweir.testing.came import Verdict
    from mailweir.testing.suite import Found

# XML 1.0 section 2.2: no other control character has a form in it.
_no_xml: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def record(found: Found, verdict: Verdict, *, paste: bool = False) -> dict[str, Any]:
    """One verdict, where that is wanted with what a case would have to expect."""
    test = verdict.test
    return {
        "id": f"{found.name}::{test.name}",
        "file": found.name,
        "line": found.line(test),
        "name": test.name,
        "pipe": test.pipe,
        "stage": test.stage,
        "state": verdict.state,
        "seconds": round(verdict.seconds, 3),
        "message": "\n".join(verdict.lines),
        **({"expect": verdict.paste} if paste and verdict.paste is not None else {}),
    }


def junit_report(verdicts: Sequence[tuple[Found, Verdict]], faulty: Sequence[Found]) -> str:
    """The XML that continuous integration reads."""
    states = [verdict.state for _, verdict in verdicts]
    counts = (
        f'name="mailweir test" tests="{len(verdicts) + len(faulty)}" failures="{states.count("failed")}"'
        f' errors="{states.count("error") + len(faulty)}" skipped="{states.count("skipped")}"'
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>", f"<testsuite {counts}>"]
    for found, verdict in verdicts:
        head = f"classname={_attribute(found.name)} name={_attribute(verdict.test.name)}"
        lines.append(f'<testcase {head} file={_attribute(found.name)} line="{found.line(verdict.test)}"')
        lines[-1] += f' time="{verdict.seconds:.3f}">'
        text = "\n".join(verdict.lines)
        kind = {"failed": "failure", "error": "error", "skipped": "skipped"}.get(verdict.state)
        if kind is not None:
            message = _attribute(verdict.lines[0] if verdict.lines else "")
            lines.append(f"<{kind} message={message}>{_text(text)}</{kind}>")
        lines.append("</testcase>")
    for found in faulty:
        text = "\n".join(f"{one.code} {one.told}" for one in found.faults)
        lines.append(f'<testcase classname={_attribute(found.name)} name="(file)" time="0">')
        lines.append(f"<error message={_attribute(text.splitlines()[0])}>{_text(text)}</error></testcase>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>", ""])


def _attribute(text: str) -> str:
    return quoteattr(_no_xml.sub("�", text))


def _text(text: str) -> str:
    return escape(_no_xml.sub("�", text))
