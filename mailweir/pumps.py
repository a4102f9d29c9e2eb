"""What the pump of a pipe says, as the plain values that decisions are made of, and what is on record of it. No I/O."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Final, NamedTuple

from pipeline.component import Refers
from pipeline.cron import Cron, zone_of
from pipeline.failing import Tolerance
from pipeline.pipe import PipeConfig, PumpConfig
from pipeline.schedule import Kind, Plan, Record, begun, gone_back, kind_of
from sinks.dataset import DatasetSinkConfig
from sources.http_endpoint import receiver

RECORDS: Final = "pump:"
"""With the `_id` of a pipe behind it: the name of the note that has its record."""

# From dataset to dataset, and where others hand in entities, nobody is asked, and people wait for what comes out at the
# end.
_BETWEEN_DATASETS: Final = 30.0
_OTHERS: Final = 900.0
# Who sends a message expects that somebody listens; a look that finds nothing costs little.
_LISTENING: Final = 5.0


class Beginning(NamedTuple):
    """A run that begins: what is on record of it, and where it reads from."""

    record: Record
    since: str | None


def beginning(pipe: PipeConfig, record: Record, position: str | None, wall: float) -> Beginning:
    """The next run of a pipe that has read up to a position."""
    plan = plan_of(pipe)
    kind = kind_of(plan, record, wall, positioned=position is not None)
    since = None if kind is Kind.FULL else position
    if kind is Kind.PARTIAL and position is not None and pipe.pump.partial_rescan_delta is not None:
        since = gone_back(position, pipe.pump.partial_rescan_delta)
    return Beginning(begun(record, plan, kind, wall), since)


def elsewhere(pipe: PipeConfig, record: Record, since: str | None, wall: float) -> Beginning:
    """A run that a person told where to begin."""
    return Beginning(begun(record, plan_of(pipe), Kind.INCREMENTAL if since else Kind.FULL, wall), since)


def plan_of(pipe: PipeConfig) -> Plan:
    """When it runs."""
    pump = pipe.pump
    asks_nobody = receives(pipe) or (_reads_datasets(pipe) and _writes_dataset(pipe))
    usual = _BETWEEN_DATASETS if asks_nobody else _OTHERS
    usual = _LISTENING if pipe.source is not None and pipe.source.listens else usual
    return Plan(
        pump.mode,
        usual if pump.schedule_interval is None else pump.schedule_interval,
        _cron(pump.cron_expression, pump),
        pump.run_at_startup,
        pump.run_at_startup_if_not_populated,
        pump.rescan_run_count,
        _cron(pump.rescan_cron_expression, pump),
        pump.partial_rescan_run_count if pump.partial_rescan_delta is not None else None,
        made=_made(pipe) if pipe.rescan_when_config_changes else "",
    )


def _made(pipe: PipeConfig) -> str:
    """A short name for what shapes its entities: another one when that is declared otherwise."""
    # Secrets print as asterisks, so a password that is changed is no change.
    text = repr((pipe.source, pipe.transform, pipe.sink, pipe.namespaces))
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def receives(pipe: PipeConfig) -> bool:
    """Whether others hand in its entities, so that it runs when there are some."""
    return receiver(pipe.source) is not None


def dead_letters_of(pipe: PipeConfig) -> str:
    """The dataset that takes the dead letters of a pipe; `""` if none does."""
    usual = f"system:dead-letter:{pipe.id}" if pipe.pump.use_dead_letter_dataset else ""
    return pipe.pump.dead_letter_dataset or usual


def tolerance_of(pipe: PipeConfig) -> Tolerance:
    """What becomes of entities that fail."""
    pump = pipe.pump
    return Tolerance(
        pump.max_consecutive_write_errors or 0,
        pump.max_write_errors_in_retry_dataset,
        pump.max_retries_per_entity,
        pump.track_dead_letters,
        dead_letters_of(pipe),
    )


def record_text(record: Record) -> str:
    """For the note."""
    return json.dumps(record)


def record_of(text: str | None) -> Record:
    """Of the note; what another version wrote otherwise is as good as nothing."""
    if text is None:
        return Record()
    try:
        record = Record(*json.loads(text))
        return record._replace(kind=Kind(record.kind))
    except (TypeError, ValueError):
        return Record()


def _cron(text: str | None, pump: PumpConfig) -> Cron | None:
    zone = zone_of(pump.time_zone)
    return None if text is None or zone is None else Cron(text, zone)


def _reads_datasets(pipe: PipeConfig) -> bool:
    fields = [] if pipe.source is None else type(pipe.source).model_fields.values()
    return any(isinstance(mark, Refers) and mark.kind == "dataset" for field in fields for mark in field.metadata)


def _writes_dataset(pipe: PipeConfig) -> bool:
    return pipe.sink is None or isinstance(pipe.sink, DatasetSinkConfig)
