"""What the doctor found, as lines and for programs."""

from __future__ import annotations

from mailweir.doctor.finding import Finding, Verdict, document, lines, summary

FOUND = [
    Finding("Python", Verdict.OK, "3.12.4"),
    Finding("Secrets", Verdict.OK, "1 of 1 found"),
    Finding("Secrets", Verdict.WARN, "can be read by others", help=("chmod 600 .secrets.env",)),
    Finding("mail", Verdict.OK, "192.0.2.10", "name"),
    Finding("mail", Verdict.FAIL, "535 no", "login", ("Tried once.",)),
]


def test_each_check_is_a_line() -> None:
    """Areas stand once, steps of a system below its name, help below its check."""
    assert [line for line, _ in lines(FOUND)] == [
        "Python        ok     3.12.4",
        "Secrets       ok     1 of 1 found",
        "              warn   can be read by others",
        "                     chmod 600 .secrets.env",
        "mail",
        "  name        ok     192.0.2.10",
        "  login       FAIL   535 no",
        "                     Tried once.",
    ]


def test_the_summary_counts() -> None:
    """Problems and warnings are counted; without any it says so."""
    assert summary(FOUND) == "1 problem, 1 warning."
    assert summary(FOUND[:1]) == "Nothing is wrong."


def test_programs_get_the_same() -> None:
    """The document has each check, and is not ok when one failed."""
    made = document(FOUND)
    assert made["ok"] is False
    assert made["checks"][-1] == {  # type: ignore[index]
        "area": "mail",
        "check": "login",
        "verdict": "fail",
        "text": "535 no",
        "help": ["Tried once."],
    }
    assert document(FOUND[:1])["ok"] is True
