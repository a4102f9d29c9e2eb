"""Entities written in the configuration."""

from pipeline.entity import Datetime
from sources.embedded import Embedded

entities = [{"_id": "a"}, {"_id": "b"}]


def test_the_first_run_reads_all_and_the_next_what_was_added() -> None:
    """The position counts entities."""
    ((batch, since),) = Embedded(entities).read(None)
    assert (batch, since) == (entities, "2")
    assert list(Embedded(entities).read(since)) == []
    assert list(Embedded([*entities, {"_id": "c"}]).read(since)) == [([{"_id": "c"}], "3")]


def test_strings_that_stand_for_other_values_are_read() -> None:
    """As in every source of JSON; `_id` is a name."""
    ((batch, _),) = Embedded([{"_id": "~:a", "at": "~t1970-01-01T00:00:00Z"}]).read(None)
    assert batch == [{"_id": "~:a", "at": Datetime(0)}]
