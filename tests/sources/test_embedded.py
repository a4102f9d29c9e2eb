"""Entities written in the configuration."""

from sources.embedded import Embedded

entities = [{"_id": "a"}, {"_id": "b"}]


def test_the_first_run_reads_all_and_the_next_what_was_added() -> None:
    """The position counts entities."""
    ((batch, since),) = Embedded(entities).read(None)
    assert (batch, since) == (entities, "2")
    assert list(Embedded(entities).read(since)) == []
    assert list(Embedded([*entities, {"_id": "c"}]).read(since)) == [([{"_id": "c"}], "3")]
