"""What pumps say, as plain values."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from mailweir.pumps import beginning, elsewhere, plan_of, record_of, record_text, tolerance_of
from pipeline.cron import Cron
from pipeline.failing import Tolerance
from pipeline.pipe import PipeConfig, PumpConfig
from pipeline.schedule import Kind, Record
from sinks.dataset import DatasetSinkConfig
from sinks.null import NullConfig
from sources.dataset import DatasetSourceConfig
from sources.embedded import EmbeddedConfig
from sources.redis_streams import RedisStreamsConfig


def pipe(pump: PumpConfig | None = None, *, dataset: bool = False, null: bool = False) -> PipeConfig:
    """A pipe."""
    source = (
        DatasetSourceConfig(type="dataset", dataset="a") if dataset else EmbeddedConfig(type="embedded", entities=())
    )
    return PipeConfig(
        _id="p", type="pipe", source=source, sink=NullConfig(type="null") if null else None, pump=pump or PumpConfig()
    )


def test_usual_intervals() -> None:
    """From dataset to dataset half a minute, from a broker seconds, else a quarter of an hour, unless it is said."""
    assert plan_of(pipe(dataset=True)).interval == 30
    assert plan_of(pipe(dataset=True).model_copy(update={"sink": DatasetSinkConfig(type="dataset")})).interval == 30
    assert plan_of(pipe(dataset=True, null=True)).interval == 900
    assert plan_of(pipe()).interval == 900
    assert plan_of(pipe(PumpConfig(schedule_interval=0), dataset=True)).interval == 0
    stream = RedisStreamsConfig(type="redis_streams", system="broker", stream="orders")
    assert plan_of(pipe().model_copy(update={"source": stream})).interval == 5


def test_expressions_go_by_the_zone() -> None:
    """Both of them."""
    oslo = ZoneInfo("Europe/Oslo")
    pump = PumpConfig(cron_expression="0 6 * * *", rescan_cron_expression="0 0 * * 0", time_zone="Europe/Oslo")
    plan = plan_of(pipe(pump))
    assert (plan.cron, plan.rescan_cron) == (Cron("0 6 * * *", oslo), Cron("0 0 * * 0", oslo))


def test_tolerance() -> None:
    """By itself a pump stops for no entity, and tries none again."""
    assert tolerance_of(pipe()) == Tolerance(0, 0, 5, track_dead=False)
    pump = PumpConfig(
        max_consecutive_write_errors=3,
        max_write_errors_in_retry_dataset=7,
        max_retries_per_entity=2,
        track_dead_letters=True,
    )
    assert tolerance_of(pipe(pump)) == Tolerance(3, 7, 2, track_dead=True)
    assert tolerance_of(pipe(PumpConfig(use_dead_letter_dataset=True))).dataset == "system:dead-letter:p"
    named = PumpConfig(use_dead_letter_dataset=True, dead_letter_dataset="graves")
    assert tolerance_of(pipe(named)).dataset == "graves"


def test_records_come_back() -> None:
    """As they were."""
    record = Record("x", 1.5, None, Kind.PARTIAL, completed=True, failures=1, interrupted=2, rescanned=3.0)
    assert record_of(record_text(record)) == record
    assert record_of(record_text(Record())) == Record()


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '["a", 1, 2, "sometimes"]', "[1,2,3,4,5,6,7,8,9,10,11,12]"])
def test_records_that_cannot_be_read(text: str | None) -> None:
    """What is no record, or one of another version, is as good as none."""
    assert record_of(text) == Record()


def test_where_a_run_begins() -> None:
    """At the position, at the start when a rescan is due, and a while before it for a partial one."""
    twice = PumpConfig(partial_rescan_run_count=1, partial_rescan_delta=60)
    done = Record(started=1.0, ended=2.0, completed=True, rescanned=1.0)
    assert beginning(pipe(), done, "7", 10.0).since == "7"
    assert beginning(pipe(PumpConfig(rescan_run_count=1)), done, "7", 10.0).since is None
    found = beginning(pipe(twice), done, "2026-01-01T00:01:00Z", 10.0)
    assert (found.since, found.record.kind) == ("2026-01-01T00:00:00Z", Kind.PARTIAL)
    assert beginning(pipe(), Record(), None, 10.0).record.kind is Kind.FULL


def test_where_a_person_says() -> None:
    """From the start it is a rescan, from elsewhere it is none."""
    assert elsewhere(pipe(), Record(), None, 1.0).record.kind is Kind.FULL
    assert elsewhere(pipe(), Record(), "9", 1.0) == (elsewhere(pipe(), Record(), "9", 1.0).record, "9")
    assert elsewhere(pipe(), Record(), "9", 1.0).record.kind is Kind.INCREMENTAL
