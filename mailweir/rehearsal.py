"""Faults to rehearse with the catcher: which step of the talk fails, with which answer, and how often. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

Step = Literal["connect", "login", "mail", "rcpt", "data", "dot"]

steps: Final = get_args(Step)
# Codes that RFC 5321 section 4.2.1 has room for: a temporary or a permanent refusal.
_rule: Final = re.compile(r"(?P<where>[!-~]+)=(?P<answer>drop|[45][0-5][0-9])(?::(?P<share>[0-9]{1,3}(?:\.[0-9]+)?)%)?")


@dataclass(frozen=True, slots=True)
class Mishap:
    """One rule. Without a `code` the connection is closed instead of an answer.

    `where` is a step, an address, or `@` and a domain; `share` says in which part of the cases the rule holds, and
    `text` is the rule as somebody wrote it.
    """

    text: str
    where: str
    code: int | None
    share: float = 1.0

    def meets(self, step: Step, recipient: str = "") -> bool:
        """Whether the rule is about this step, or about this recipient."""
        if "@" not in self.where:
            return step == self.where
        address = recipient.lower()
        return step == "rcpt" and (address == self.where or (self.where[0] == "@" and address.endswith(self.where)))

    @property
    def reply(self) -> str:
        """The answer of the server."""
        return f"{self.code} rehearsed: {self.text}"


def mishap(text: str) -> Mishap:
    """Read `WHERE=ANSWER` or `WHERE=ANSWER:SHARE%`; a `ValueError` says what is wrong with it."""
    found = _rule.fullmatch(text)
    if not found:
        raise ValueError("write WHERE=CODE: '@example.org=550', 'rcpt=451:10%' or 'dot=drop'; codes are 400 to 559")
    where = found["where"].lower()
    if where not in steps and "@" not in where:
        raise ValueError(f"'{found['where']}' is no address, no @domain and no step ({' '.join(steps)})")
    share = float(found["share"] or 100) / 100
    if not 0 < share <= 1:
        raise ValueError("the share is more than 0% and at most 100%")
    return Mishap(text, where, None if found["answer"] == "drop" else int(found["answer"]), share)


def choose(mishaps: Sequence[Mishap], step: Step, recipient: str = "", *, chance: Callable[[], float]) -> Mishap | None:
    """The first rule that meets this case and whose turn it is; `chance` gives numbers from 0 up to 1."""
    return next(
        (one for one in mishaps if one.meets(step, recipient) and (one.share == 1 or chance() < one.share)), None
    )
