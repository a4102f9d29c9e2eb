"""Who may do what over HTTP: tokens, the roles that they carry, and the pipes that they are for. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, get_args

from pydantic import Field

from pipeline.component import Many, Part
from pipeline.config.settings import part_of
from pipeline.errors import Problem, Span

if TYPE_CHECKING:
    from pipeline.config.tree import Document

Role = Literal["view", "content", "act", "send", "configure"]
"""`view`: numbers and states. `content`: entities and mails. `act`: run, pause, retry, delete. `send`: hand in entities
and mails. `configure`: change a configuration that is in a database."""
ROLES: Final[frozenset[Role]] = frozenset(get_args(Role))

NOUN: Final = "a file of tokens"
# Wrong tokens of one peer in a second: a person mistypes one, a program that guesses tries thousands.
MOST_WRONG: Final = 10
# Peers of one second that are told apart; behind them all are one.
MOST_PEERS: Final = 1000


class TokenConfig(Part):
    """One token, which is not in the file itself."""

    name: str = Field(min_length=1, max_length=100)
    """Who has it, for people and the log."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """The SHA-256 of the token, in hex. A token is random and has 32 characters or more."""
    roles: Annotated[Many[Role], Field(min_length=1)]
    """What it may do: `view`, `content`, `act`, `send`, `configure`."""
    pipes: Many[str] | None = None
    """The pipes that it is for. Default: all, and what belongs to none."""


class TokensConfig(Part):
    """A file of tokens (`--auth-file`)."""

    tokens: Many[TokenConfig]
    """The tokens that are valid beside that of the project."""


class Caller(NamedTuple):
    """Who asks. Without `pipes` all of them are meant, and what belongs to none."""

    name: str
    roles: frozenset[Role]
    pipes: frozenset[str] | None = None

    def may(self, role: Role, pipe: str | None) -> bool:
        """Whether it may do what needs a role, to a pipe."""
        return role in self.roles and (self.pipes is None or pipe in self.pipes)


class Keys:
    """Tokens by their digests."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        """By the SHA-256 of the token, in hex."""
        self._callers = tuple((digest.encode(), caller) for digest, caller in callers.items())

    def caller(self, token: str) -> Caller | None:
        """Whose token it is. How long that takes does not tell how much of it is right."""
        return self.known(digest_of(token))

    def known(self, digest: str) -> Caller | None:
        """Whose token has this digest."""
        given = digest.encode()
        found = None
        for one, caller in self._callers:
            if compare_digest(one, given):
                found = caller
        return found


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def callers_of(document: Document) -> tuple[dict[str, Caller], list[Problem]]:
    """Those of a file of tokens, and what is wrong with it."""
    config, problems = part_of(document, TokensConfig, NOUN)
    if config is None or problems:
        return {}, problems
    callers = {one.sha256: Caller(one.name, frozenset(one.roles), _pipes(one.pipes)) for one in config.tokens}
    return callers, list(_twice(document, config))


def _pipes(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _twice(document: Document, config: TokensConfig) -> Iterator[Problem]:
    known: dict[str, str] = {}
    for one in config.tokens:
        if one.sha256 in known:
            at = document.text.rfind(one.sha256)
            span = Span(document.name, at, at + len(one.sha256))
            yield Problem("E203", f"the token of `{one.name}` is that of `{known[one.sha256]}`", span)
        known.setdefault(one.sha256, one.name)


class Wrongs:
    """How often peers came with a wrong token in this second."""

    def __init__(self) -> None:
        """None so far."""
        self._second = -1
        self._counts: dict[str, int] = {}

    def too_many(self, peer: str, now: float) -> bool:
        """Whether this one has to wait for the next second. `now` is a steady time."""
        self._turn(now)
        return self._counts.get(self._name(peer), 0) >= MOST_WRONG

    def add(self, peer: str, now: float) -> None:
        """One more."""
        self._turn(now)
        name = self._name(peer)
        self._counts[name] = self._counts.get(name, 0) + 1

    def _name(self, peer: str) -> str:
        return peer if peer in self._counts or len(self._counts) < MOST_PEERS else ""

    def _turn(self, now: float) -> None:
        if int(now) != self._second:
            self._second = int(now)
            self._counts.clear()
