"""What a client waits for, and what each reply then does: the talk as a table. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from systems.mail import Phase
from systems.smtp.replies import Kind


class Step(IntEnum):
    """A command whose reply is awaited."""

    GREETING = 0  # the server speaks first
    EHLO = 1
    HELO = 2
    STARTTLS = 3
    AUTH = 4
    MAIL = 5
    RCPT = 6
    DATA = 7
    DOT = 8
    CHUNK = 9  # BDAT with its content
    LONE_DOT = 10  # after a 354 that nobody can use
    RSET = 11
    PROBE = 12  # RSET to see whether the connection is alive
    QUIT = 13


_YES, _GO_ON, _LATER, _NO = Kind.YES, Kind.GO_ON, Kind.LATER, Kind.NO

# What the reply to a step does: the name of a method of `Protocol`, less its underscore. `action` says what holds
# where a row says nothing.
TRANSITIONS: Final[Mapping[Step, Mapping[Kind, str]]] = MappingProxyType(
    {
        Step.GREETING: {_YES: "greeted", _LATER: "unavailable", _NO: "unavailable"},
        Step.EHLO: {_YES: "offered", _LATER: "unavailable", _NO: "not_understood"},
        Step.HELO: {_YES: "offered_nothing", _LATER: "unavailable", _NO: "unavailable"},
        Step.STARTTLS: {_YES: "upgrade", _LATER: "tls_refused", _NO: "tls_refused"},
        Step.AUTH: {_YES: "logged_in", _GO_ON: "challenged", _LATER: "login_deferred", _NO: "login_refused"},
        Step.MAIL: {
            _YES: "sender_taken",
            _LATER: "sender_refused",
            _NO: "sender_refused",
            Kind.OUT_OF_STEP: "out_of_step",
            Kind.LOGIN_NEEDED: "login_needed",
        },
        Step.RCPT: {
            _YES: "recipient_taken",
            _LATER: "recipient_refused",
            _NO: "recipient_refused",
            Kind.OUT_OF_STEP: "recipient_out_of_step",
            Kind.LOGIN_NEEDED: "login_needed",
        },
        Step.DATA: {
            _GO_ON: "go_ahead",
            _LATER: "data_refused",
            _NO: "data_refused",
            Kind.OUT_OF_STEP: "data_out_of_step",
            Kind.LOGIN_NEEDED: "login_needed",
        },
        Step.DOT: {
            _YES: "accepted",
            _LATER: "content_refused",
            _NO: "content_refused",
            Kind.CLOSING: "closing_at_dot",
            Kind.OUT_OF_STEP: "content_out_of_step",
            Kind.LOGIN_NEEDED: "login_needed_at_dot",
        },
        Step.CHUNK: {
            _YES: "accepted",
            _LATER: "content_refused",
            _NO: "content_refused",
            Kind.CLOSING: "closing_at_dot",
            Kind.OUT_OF_STEP: "content_out_of_step",
            Kind.LOGIN_NEEDED: "login_needed_at_dot",
        },
        Step.LONE_DOT: {_YES: "cleared", _LATER: "cleared", _NO: "cleared"},
        Step.RSET: {_YES: "cleared", _LATER: "out_of_step", _NO: "out_of_step"},
        Step.PROBE: {_YES: "alive", _LATER: "out_of_step", _NO: "out_of_step"},
        Step.QUIT: dict.fromkeys(Kind, "goodbye"),
    }
)

PHASES: Final[Mapping[Step, Phase]] = MappingProxyType(
    {
        Step.GREETING: Phase.GREETING,
        Step.EHLO: Phase.GREETING,
        Step.HELO: Phase.GREETING,
        Step.STARTTLS: Phase.TLS,
        Step.AUTH: Phase.LOGIN,
        Step.MAIL: Phase.MAIL,
        Step.RCPT: Phase.RECIPIENT,
        Step.DATA: Phase.DATA,
        Step.DOT: Phase.DOT,
        Step.CHUNK: Phase.DOT,
        Step.LONE_DOT: Phase.DOT,
        Step.RSET: Phase.MAIL,
        Step.PROBE: Phase.IDLE,
        Step.QUIT: Phase.QUIT,
    }
)

WAITING: Final[Mapping[Step, Phase]] = MappingProxyType({**PHASES, Step.PROBE: Phase.MAIL})
"""Which of the `timeouts` runs."""


def action(step: Step, kind: Kind) -> str:
    """What a reply of this kind to this step does."""
    row = TRANSITIONS[step]
    if kind in row:
        return row[kind]
    if kind is Kind.CLOSING:
        return "closing"
    if kind in {Kind.OUT_OF_STEP, Kind.LOGIN_NEEDED}:  # 5xx, when nothing more is made of them
        return row.get(Kind.NO, "unexpected")
    return "unexpected"
