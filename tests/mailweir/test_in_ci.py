from io import StringIO

import pytest

from mailweir.cli.out import Out
from mailweir.in_ci import in_ci


class Terminal(StringIO):
    """Text for somebody who looks on."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize("said", ["1", "true", "TRUE", "yes", "github"])
def test_it_is_set(said: str) -> None:
    """Any word but those that say no means that nobody looks on: nothing is coloured."""
    assert in_ci({"CI": said})
    assert not Out(stdout=Terminal(), stderr=Terminal(), environ={"CI": said}).colors(Terminal())


@pytest.mark.parametrize("environ", [{}, *({"CI": said} for said in ("", " ", "0", "false", "False", " FALSE "))])
def test_it_is_not(environ: dict[str, str]) -> None:
    """Who says no, or nothing, is a person at a terminal, which has colours."""
    assert not in_ci(environ)
    assert Out(stdout=Terminal(), stderr=Terminal(), environ=environ).colors(Terminal())
