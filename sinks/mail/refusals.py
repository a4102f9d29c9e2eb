"""What the composing of a mail refuses, as a problem with a code. No I/O."""

from __future__ import annotations

from typing import Final

from pipeline.errors import Problem
from sinks.mail.letter import Refusal
from sinks.mail.people import wrong

# By what the refused thing is a part of.
_codes: Final = {
    "to": "E502",
    "cc": "E502",
    "bcc": "E502",
    "reply_to": "E502",
    "sender": "E503",
    "subject": "E412",
    "headers": "E508",
    "unsubscribe": "E509",
    "attachments": "E506",
    "images": "E506",
    "html": "E506",
    "text": "E414",
}
_names: Final = {
    "unsubscribe": "list_unsubscribe",
    "images": "inline_images",
    "sender": "mail_from",
    "to": "recipients",
}


def problem_of(refusal: Refusal) -> Problem:
    """The problem; what is wrong with a mail as a whole is E507."""
    part, _, rest = refusal.at.partition(".")
    code = _codes.get(part, "E507")
    shown = ".".join(each for each in (_names.get(part, part), rest) if each)
    return wrong(code, f"{shown}: {refusal.text}")
