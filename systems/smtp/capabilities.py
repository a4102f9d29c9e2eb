"""What a server offers, read from its answer to EHLO. No I/O.

Servers write keywords in any case, twice, with `=` for a space or with words that nobody knows: what cannot be
understood is passed over, never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Self

from systems.smtp.replies import visible

# A size with more digits than this is none (2**63 has 19).
MOST_DIGITS: Final = 19


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of RFC 9422 that concern a client; None where there is none."""

    mails: int | None = None  # transactions on one connection
    recipients: int | None = None  # recipients of one transaction
    domains: int | None = None  # different domains among them

    @property
    def crowd(self) -> bool:
        """Whether the recipients of one transaction are limited."""
        return self.recipients is not None or self.domains is not None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The extensions of a server. One that speaks HELO only has none.

    `largest` is the largest message in bytes, None without a limit; `mechanisms` are those of AUTH, in their order.
    """

    name: str = ""
    keywords: frozenset[str] = frozenset()
    pipelining: bool = False
    size: bool = False
    largest: int | None = None
    eight_bit: bool = False
    utf8: bool = False
    reports: bool = False
    chunking: bool = False
    verp: bool = False
    starttls: bool = False
    mechanisms: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def read(cls, lines: tuple[bytes, ...]) -> Self:
        """The capabilities that the lines of an answer to EHLO name."""
        name, *rest = [visible(line).strip() for line in lines]
        offers: dict[str, list[str]] = {}
        for line in rest:
            words = line.replace("=", " ", 1).split() if line[:5].upper() == "AUTH=" else line.split()
            if words:
                offers.setdefault(words[0].upper(), []).extend(words[1:])
        return cls(
            name=name.partition(" ")[0],
            keywords=frozenset(offers),
            pipelining="PIPELINING" in offers,
            size="SIZE" in offers,
            largest=_number("".join(offers.get("SIZE", ())[:1])),
            eight_bit="8BITMIME" in offers,
            utf8="SMTPUTF8" in offers,
            reports="DSN" in offers,
            chunking="CHUNKING" in offers,
            verp="XVERP" in offers,
            starttls="STARTTLS" in offers,
            mechanisms=tuple(dict.fromkeys(each.upper() for each in offers.get("AUTH", ()))),
            limits=_limits(offers.get("LIMITS", [])),
        )

    def without_parameters(self) -> Self:
        """The same without what adds optional parameters to MAIL, for a server that stumbles over them."""
        return replace(self, size=False, reports=False)

    def with_room_for(self, recipients: int) -> Self:
        """The same with the limit of recipients that the server turned out to have."""
        return replace(self, limits=replace(self.limits, recipients=recipients))


def _limits(words: list[str]) -> Limits:
    given = dict(word.upper().partition("=")[::2] for word in words)
    return Limits(*(_number(given.get(name, "")) for name in ("MAILMAX", "RCPTMAX", "RCPTDOMAINMAX")))


def _number(text: str) -> int | None:
    """A number above zero; None for anything else."""
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return int(text) or None
    return None
