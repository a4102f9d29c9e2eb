"""A worked example whose fault nothing reports yet: given the problem, the manual's text is printed."""

from __future__ import annotations

from pipeline.config.show import render, summary
from pipeline.errors import Note, Problem, Span

PIPE = "pipes/welcome-mail.conf.json"

MAIL = {
    1: "{",
    2: '  "_id": "welcome-mail",',
    3: '  "type": "pipe",',
    4: '  "source": {"type": "dataset", "dataset": "new-customers"},',
    5: '  "sink": {',
    6: '    "type": "mail",',
    7: '    "system": "our-smtp-server",',
    8: '    "mail_from": "hello@example.com",',
    9: '    "recipients": "ops@example.com",',
    10: '    "subject_template": "Welcome, {{ name }}",',
    11: '    "body_template": "<p>Hello {{ name }}</p>"',
    12: "  }",
    13: "}",
}


def mail(changed: dict[int, str]) -> str:
    """The text of a pipe that mails, some lines being different."""
    return "\n".join((MAIL | changed)[number] for number in sorted(MAIL | changed)) + "\n"


def span(file: str, text: str, part: str) -> Span:
    """The place of a part that the text has once."""
    assert text.count(part) == 1
    start = text.index(part)
    return Span(file, start, start + len(part))


def note(text: str) -> Note:
    """A fact."""
    return Note("note", text)


def advice(text: str) -> Note:
    """An action."""
    return Note("help", text)


UNKNOWN_VARIABLE = """\
warning[W403]: no test entity has a property `nmae`
  --> pipes/welcome-mail.conf.json:10:38 (welcome-mail → sink → subject_template)
   |
10 |     "subject_template": "Welcome, {{ nmae }}",
   |                                      ^^^^ used here
   |
   = note: with `unhandled_template_variable_replacement` at "debug" (the default) the
           mail would show `{{ nmae }}` to its reader
   = help: did you mean `name`? all 2 test entities of this pipe have it

0 errors, 1 warning in 2 files.
"""


def test_unknown_variable() -> None:
    """A warning has the same frame as an error."""
    text = mail({10: '    "subject_template": "Welcome, {{ nmae }}",'})
    problem = Problem(
        "W403",
        "no test entity has a property `nmae`",
        span(PIPE, text, "nmae"),
        "used here",
        path=("welcome-mail", "sink", "subject_template"),
        notes=(
            note(
                'with `unhandled_template_variable_replacement` at "debug" (the default) the mail would show '
                "`{{ nmae }}` to its reader"
            ),
            advice("did you mean `name`? all 2 test entities of this pipe have it"),
        ),
    )
    assert f"{render([problem], {PIPE: text})}\n\n{summary([problem], 2)}\n" == UNKNOWN_VARIABLE
