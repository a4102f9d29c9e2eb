"""What a mail sink's properties say together: addresses, templates, what excludes what. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice, note
from pipeline.errors import Label, Problem
from sinks.mail.part_rules import part_faults
from sinks.mail.template_rules import excluding, holes, template_faults
from systems.address import fault_of, split

if TYPE_CHECKING:
    from pipeline.config.given import Given

# RFC 5321 section 4.5.3.1.8 asks servers to take 100 recipients; a fixed list of ten times that is data, not config.
MOST_RECIPIENTS = 1000
MOST_SHOWN = 10

_LISTS: Final = {"recipients": "recipients", "cc": "copies", "bcc": "hidden copies", "reply_to": "answers"}
_ONE: Final = ("mail_from", "return_path", "redirect_to")


def faults(given: Given) -> Iterator[Problem]:
    """Every fault that one property cannot see."""
    for name, what in _LISTS.items():
        both = (name, f"{name}_property")
        if all(given.has(each) and given.written(each) for each in both):
            yield excluding(given, *both, f"fixed {what}")
        yield from _addresses(given, name)
    for name in _ONE:
        yield from _one(given, name)
    yield from _domain(given)
    yield from _each_alone(given)
    yield from template_faults(given)
    yield from part_faults(given)
    yield from holes(given)


def _addresses(given: Given, name: str) -> Iterator[Problem]:
    text = given.text(name)
    if text is None or (name != "recipients" and not text.strip()):
        return
    addresses = list(islice(split(text), MOST_RECIPIENTS + 1))
    noun = "recipient" if name == "recipients" else "address"
    nouns = "recipients" if name == "recipients" else "addresses"
    if len(addresses) > MOST_RECIPIENTS:
        how = advice(f"let each entity bring its address with `{name}_property`")
        yield given.problem("E501", f"more than {MOST_RECIPIENTS} {nouns} for every mail", name, notes=(how,))
        return
    wrong = [address for address in addresses if address.fault]
    if not wrong:
        return
    spots = [Label(given.inside(name, a.start, a.end), a.fault or "") for a in wrong[:MOST_SHOWN]]
    if not given.literal(name):
        spots = spots[:1]
    count = f"the only {noun} is not an address" if name == "recipients" else f"`{name}` is not an address"
    if len(addresses) > 1:
        verb = "is not an address" if len(wrong) == 1 else "are not addresses"
        where = nouns if name == "recipients" else f"{nouns} in `{name}`"
        count = f"{len(wrong)} of {len(addresses)} {where} {verb}"
    problem = given.problem(
        "E501",
        count,
        name,
        at=spots[0].span,
        label=spots[0].text,
        also=spots[1:],
        notes=(
            advice('write them comma-separated: "a@example.com,Ann Lee <ann@example.com>"'),
            note(f"to take the address from each entity use `{name}_property`"),
        ),
    )
    # However many there are, a line for programs names each reason once.
    yield replace(problem, reason="; ".join(dict.fromkeys(a.fault for a in wrong[:MOST_SHOWN] if a.fault)))


def _one(given: Given, name: str) -> Iterator[Problem]:
    text = given.text(name)
    if text is None or (name == "return_path" and not text):
        return
    first, *more = islice(split(text), 2)
    if more:
        yield given.problem("E503", f"`{name}` must be one address", name, label="several")
        return
    fault, how = first.fault, 'write "post@example.com", or "Example <post@example.com>"'
    if name != "mail_from":
        fault, how = fault_of(text), 'write "post@example.com"'
    if fault:
        whole = name != "mail_from"
        start, end = (0, len(text)) if whole else (first.start, first.end)
        problem = given.problem(
            "E503",
            f"`{name}` is not an address",
            name,
            at=given.inside(name, start, end),
            label=fault,
            notes=(advice(how),),
        )
        yield replace(problem, reason=fault)


def _domain(given: Given) -> Iterator[Problem]:
    text = given.text("message_id_domain")
    fault = None if text is None else fault_of(f"a@{text}")
    if text is not None and (fault or text.startswith("[")):
        words = "not a domain name" if not fault or "`@`" in fault else fault
        problem = given.problem(
            "E203",
            "`message_id_domain` is not a domain",
            "message_id_domain",
            label=words,
            notes=(advice('write a domain of yours: "mail.example.com"'),),
        )
        yield replace(problem, reason=words)


def _each_alone(given: Given) -> Iterator[Problem]:
    if given.get("per_recipient") is not True:
        return
    for name in ("cc", "cc_property", "bcc", "bcc_property", "digest"):
        if given.has(name) and given.written(name):
            copy = "who gets a copy would get one of each of these mails"
            yield given.problem(
                "E209",
                f"`{name}` and `per_recipient` are both set",
                "",
                at=given.key(name),
                label="one mail for several entities" if name == "digest" else copy,
                related=(Label(given.key("per_recipient"), "a mail for each recipient"),),
                notes=(advice("keep one of them"),),
            )
