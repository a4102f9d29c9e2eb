"""What the properties of a sink of text messages say together: numbers, templates, what excludes what. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice
from pipeline.errors import Label
from sinks.mail.template_rules import excluding, holes, template_faults
from systems.sms import number_fault, number_of, sender_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

MOST_SHOWN: Final = 10
MOST_NUMBERS: Final = 1000
_item: Final = re.compile(r"[^,;]+")


def faults(given: Given) -> Iterator[Problem]:
    """Every fault that one property cannot see."""
    if all(given.has(name) and given.written(name) for name in ("recipients", "recipients_property")):
        yield excluding(given, "recipients", "recipients_property", "fixed recipients")
    yield from _recipients(given)
    sender = given.text("from_number")
    if sender is not None and sender_of(sender) is None:
        help_ = advice('write a number "+4766554433", a short code, a name of up to 11 letters and digits, or "MG…"')
        yield given.problem("E503", "`from_number` is no sender", "from_number", notes=(help_,))
    redirect = given.text("redirect_to")
    if redirect is not None and number_of(redirect) is None:
        why = number_fault(redirect)
        yield given.problem("E503", "`redirect_to` is not a telephone number", "redirect_to", label=why)
    yield from template_faults(given)
    yield from holes(given)


def _recipients(given: Given) -> Iterator[Problem]:
    text = given.text("recipients")
    if text is None:
        return
    numbers = [found for found in _item.finditer(text) if found[0].strip()]
    if len(numbers) > MOST_NUMBERS:
        how = advice("let each entity bring its number with `recipients_property`")
        yield given.problem(
            "E501", f"more than {MOST_NUMBERS} recipients for every message", "recipients", notes=(how,)
        )
        return
    wrong = [found for found in numbers if number_of(found[0]) is None]
    if not numbers:
        yield given.problem("E501", "`recipients` names nobody", "recipients")
    elif wrong:
        spots = []
        for found in wrong[:MOST_SHOWN]:
            lead = len(found[0]) - len(found[0].lstrip())
            place = given.inside("recipients", found.start() + lead, found.start() + len(found[0].rstrip()))
            spots.append(Label(place, number_fault(found[0])))
        verb = "is not a telephone number" if len(wrong) == 1 else "are not telephone numbers"
        yield given.problem(
            "E501",
            f"{len(wrong)} of {len(numbers)} recipients {verb}",
            "recipients",
            at=spots[0].span,
            label=spots[0].text,
            also=spots[1:] if given.literal("recipients") else (),
            notes=(
                advice('write them with the code of the country and commas between them: "+4799887766,+4611223344"'),
            ),
        )
