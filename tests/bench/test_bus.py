"""A service that takes mail from a bus is killed, really, and what arrives is held against what was published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.bus import carried_out
from bench.reliability import Campaign
from tests.buses import CARRIERS, bus_of


@pytest.mark.parametrize("name", CARRIERS)
def test_kills_lose_nothing(name: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Over each bus every mail is on record once and arrived, a copy too many is explained, and nothing is left."""
    campaign = Campaign(f"the bus {name}", 300, 3, wait=False)
    with bus_of(name) as systems:
        found = carried_out(campaign, tmp_path, systems)
    assert found.faults == [], str(found)
    record_property("count", (f"mails over a bus through {campaign.kills} kills of the service", campaign.entities))
