"""What a mail sink's properties say together: addresses, templates, what excludes what. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.config.given import advice, note
from pipeline.errors import Label, Problem
from sinks.mail.template_rules import excluding, template_faults
from systems.address import split

if TYPE_CHECKING:
    from pipeline.config.given import Given

# RFC 5321 section 4.5.3.1.8 asks servers to take 100 recipients; a fixed list of ten times that is data, not config.
MOST_RECIPIENTS = 1000
MOST_SHOWN = 10


def faults(given: Given) -> Iterator[Problem]:
    """Every fault that one property cannot see."""
    both = ("recipients", "recipients_property")
    if all(given.has(name) and given.written(name) for name in both):
        yield excluding(given, *both, "fixed recipients")
    yield from _recipients(given)
    yield from _mail_from(given)
    yield from template_faults(given)
    if given.get("unhandled_template_variable_replacement") in {"debug", "empty_string"}:
        value = given.text("unhandled_template_variable_replacement")
        shows = "the raw `{{ name }}`" if value == "debug" else "a gap"
        yield given.problem(
            "W407",
            f'`unhandled_template_variable_replacement` is "{value}"',
            "unhandled_template_variable_replacement",
            label="mails go out with holes",
            notes=(
                note(f"a mail whose entity lacks a property shows {shows} to its reader"),
                advice('"strict" rejects such a mail and says what is missing'),
            ),
        )


def _recipients(given: Given) -> Iterator[Problem]:
    text = given.text("recipients")
    if text is None:
        return
    addresses = list(islice(split(text), MOST_RECIPIENTS + 1))
    if len(addresses) > MOST_RECIPIENTS:
        how = advice("let each entity bring its address with `recipients_property`")
        yield given.problem(
            "E501", f"more than {MOST_RECIPIENTS} recipients for every mail", "recipients", notes=(how,)
        )
        return
    wrong = [address for address in addresses if address.fault]
    if not wrong:
        return
    spots = [Label(given.inside("recipients", a.start, a.end), a.fault or "") for a in wrong[:MOST_SHOWN]]
    if not given.literal("recipients"):
        spots = spots[:1]
    count = "the only recipient is not an address"
    if len(addresses) > 1:
        verb = "is not an address" if len(wrong) == 1 else "are not addresses"
        count = f"{len(wrong)} of {len(addresses)} recipients {verb}"
    problem = given.problem(
        "E501",
        count,
        "recipients",
        at=spots[0].span,
        label=spots[0].text,
        also=spots[1:],
        notes=(
            advice('write them comma-separated: "a@example.com,Ann Lee <ann@example.com>"'),
            note("to take the address from each entity use `recipients_property`"),
        ),
    )
    # However many there are, a line for programs names each reason once.
    yield replace(problem, reason="; ".join(dict.fromkeys(a.fault for a in wrong[:MOST_SHOWN] if a.fault)))


def _mail_from(given: Given) -> Iterator[Problem]:
    text = given.text("mail_from")
    if text is None:
        return
    first, *more = islice(split(text), 2)
    if more:
        yield given.problem("E503", "`mail_from` must be one address", "mail_from", label="several")
    elif first.fault:
        problem = given.problem(
            "E503",
            "`mail_from` is not an address",
            "mail_from",
            at=given.inside("mail_from", first.start, first.end),
            label=first.fault,
            notes=(advice('write "post@example.com", or "Example <post@example.com>"'),),
        )
        yield replace(problem, reason=first.fault)
