"""The table of the talk: it is whole, and every word in it is something that the protocol can do."""

from __future__ import annotations

import pytest

from systems.smtp.protocol import Protocol
from systems.smtp.replies import Kind
from systems.smtp.steps import PHASES, TRANSITIONS, WAITING, Step, action


def test_every_step_has_its_row() -> None:
    """What can be awaited can be answered, and has a phase and a deadline."""
    assert set(TRANSITIONS) == set(PHASES) == set(WAITING) == set(Step)


@pytest.mark.parametrize("step", Step)
def test_every_reply_does_something(step: Step) -> None:
    """Each kind of reply to each step names a method."""
    for kind in Kind:
        assert callable(getattr(Protocol, f"_{action(step, kind)}"))


@pytest.mark.parametrize("step", sorted(set(Step) - {Step.QUIT, Step.DOT, Step.CHUNK}))
def test_421_closes_wherever_it_comes(step: Step) -> None:
    """Only the goodbye does not care, and at the dot it settles the message first."""
    assert action(step, Kind.CLOSING) == "closing"


@pytest.mark.parametrize("step", sorted(set(Step) - {Step.AUTH, Step.DATA, Step.QUIT}))
def test_3xx_fits_nowhere_but_where_more_is_to_be_said(step: Step) -> None:
    """Everywhere else it is a violation."""
    assert action(step, Kind.GO_ON) == "unexpected"


def test_only_the_end_of_a_message_accepts_it() -> None:
    """No other reply makes a message accepted."""
    accepting = {(step, kind) for step in Step for kind in Kind if action(step, kind) == "accepted"}
    assert accepting == {(Step.DOT, Kind.YES), (Step.CHUNK, Kind.YES)}


def test_data_is_not_done_by_a_yes() -> None:
    """Row 59: 2xx to DATA fits nothing."""
    assert action(Step.DATA, Kind.YES) == "unexpected"
