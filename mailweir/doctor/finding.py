"""What the doctor found: one line a check, and what to do. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `area` is a word, or the name of a system with its steps in `check`; `help` is what to do."""

    area: str
    verdict: Verdict
    text: str
    check: str = ""
    help: tuple[str, ...] = ()


AREA: Final = 13
CHECK: Final = 11


def lines(findings: Iterable[Finding]) -> Iterator[tuple[str, Verdict]]:
    """The findings as lines, each with its verdict."""
    area = ""
    for finding in findings:
        if finding.check:
            if finding.area != area:
                yield finding.area, Verdict.OK
            head = f"  {finding.check:<{CHECK}} "
        else:
            head = f"{finding.area if finding.area != area else '':<{AREA}} "
        area = finding.area
        yield f"{head}{finding.verdict:<6} {finding.text}", finding.verdict
        for one in finding.help:
            yield f"{' ' * len(head)}       {one}", finding.verdict


def summary(findings: Sequence[Finding]) -> str:
    """How many problems and warnings there are."""
    problems = sum(finding.verdict is Verdict.FAIL for finding in findings)
    warnings = sum(finding.verdict is Verdict.WARN for finding in findings)
    if not problems and not warnings:
        return "Nothing is wrong."
    return f"{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def document(findings: Sequence[Finding]) -> dict[str, object]:
    """The findings for programs."""
    return {
        "schema_version": 1,
        "command": "doctor",
        "ok": all(finding.verdict is not Verdict.FAIL for finding in findings),
        "summary": summary(findings),
        "checks": [
            {
                "area": finding.area,
                "check": finding.check or None,
                "verdict": finding.verdict.lower(),
                "text": finding.text,
                "help": list(finding.help),
            }
            for finding in findings
        ],
    }
