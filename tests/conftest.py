"""Settings for every test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.postgres import Postgres

# How long an example takes says something of the machine, nothing of the code.
# The same examples in every run: what passed once passes again. New ones are looked for by `make hunt`.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("hunt", deadline=None, max_examples=5000)
settings.load_profile("default")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL; where there is none, the tests that need it are skipped."""
    from tests.postgres import programs, running  # noqa: PLC0415 - for those who ask

    bin_ = programs()
    if bin_ is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt install postgresql)")
    with running(bin_) as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many examples the tests that count theirs went through."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "count":
                what, number = value
                counts[what] += number
    for what, number in counts.items():
        terminalreporter.write_line(f"{number} {what}")
