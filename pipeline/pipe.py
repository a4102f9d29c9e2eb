"""Pipes and the project's metadata, as declared. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal
from zoneinfo import available_timezones

from pydantic import ConfigDict, Field

from pipeline import short_config
from pipeline.component import Identified, Kind, Many, Part, SinkConfig, Slot, SourceConfig, TransformConfig
from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.cron import cron_fault, zone_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.config.tree import Document, Object
    from pipeline.errors import Problem


class PumpConfig(Part):
    """When a pipe runs, and what happens to entities that fail."""

    schedule_interval: float | None = Field(default=None, ge=0)
    """Seconds between the starts of two runs, give or take 5 %. Default: 30 from dataset to dataset, 5 from
    a message broker, else 900."""
    cron_expression: str | None = None
    """When to run: minute, hour, day of the month, month, day of the week, and a year where one is wanted.
    Wins over `schedule_interval`."""
    time_zone: str = "UTC"
    """Whose clocks the expressions go by, such as `Europe/Oslo`."""
    mode: Literal["scheduled", "manual", "off"] = "scheduled"
    """`scheduled` runs by the clock, `manual` when told to, `off` never."""
    run_at_startup: bool = False
    """Run as soon as the service starts."""
    run_at_startup_if_not_populated: bool = False
    """Run as soon as the service starts, if the pipe has never completed a run."""
    rescan_run_count: int | None = Field(default=None, ge=1)
    """Every so many runs one reads the whole source again."""
    rescan_cron_expression: str | None = None
    """When to read the whole source again, as `cron_expression`."""
    partial_rescan_run_count: int | None = Field(default=None, ge=1)
    """Every so many runs one goes back by `partial_rescan_delta`."""
    partial_rescan_delta: int | None = Field(default=None, ge=1)
    """How many seconds a partial rescan goes back."""
    max_read_retries: int = Field(default=0, ge=0)
    """How often a failed read is tried again within a run."""
    read_retry_delay: float = Field(default=0, ge=0)
    """Seconds to wait before reading again."""
    max_consecutive_write_errors: int | None = Field(default=None, ge=0)
    """The run stops after this many entities in a row that failed. Default, and 0: it stops for none."""
    write_retry_delay: float = Field(default=0, ge=0)
    """Seconds to wait after entities that the sink could not write, and before a batch is tried again."""
    max_retries_per_entity: int = Field(default=5, ge=0)
    """How often later runs try a failed entity again."""
    max_write_errors_in_retry_dataset: int = Field(default=0, ge=0)
    """How many failed entities may wait for another try; 0 turns retries off. When there are more, the run stops."""
    dead_letter_dataset: str | None = None
    """The dataset that takes entities whose tries are used up."""
    use_dead_letter_dataset: bool = False
    """Use the dataset `system:dead-letter:<pipe>` for entities whose tries are used up."""
    track_dead_letters: bool = False
    """Remove a dead letter when a later version of its entity succeeds."""
    batch_retries: int = Field(default=0, ge=0, le=1000)
    """How often a batch is tried again that a service, a database or a broker did not take, before the run stops:
    after `write_retry_delay` seconds, or else after 1, 2, 4 … up to 60. Where an answer was lost the batch may be there
    already."""
    fallback_to_single_entities_on_batch_fail: bool = True
    """Read from Sesam configurations and ignored: entities of a batch that is refused are always written one by one."""
    max_seconds_per_entity: float | None = Field(default=None, gt=0)
    """Read from Sesam configurations and ignored: timeouts are those of systems, and rules have limits of their own."""
    log_events_noop_runs: bool = False
    """Record runs in which nothing happened, too."""
    log_events_noop_runs_changes_only: bool = True
    """Read from Sesam configurations and ignored."""
    notification_granularity: float | None = Field(default=None, ge=0)
    """Read from Sesam configurations and ignored."""


class PipeConfig(Identified):
    """Entities from one source, through transforms, into one sink."""

    kind: ClassVar[Kind] = "pipe"

    type: Literal["pipe"]
    """`pipe`."""
    source: Annotated[SourceConfig | None, Slot("source")] = None
    """Where the entities come from."""
    short_config: str | None = None
    """The source in short: `sql://shop/customers` is the table `customers` of the system `shop`."""
    transform: Annotated[Many[TransformConfig], Slot("transform", "list")] = ()
    """What shapes them: one transform or a list, applied in order."""
    sink: Annotated[SinkConfig | None, Slot("sink", default="dataset")] = None
    """Where they end. Default: the dataset named as the pipe."""
    pump: PumpConfig = Field(default_factory=PumpConfig)
    """When the pipe runs."""
    batch_size: int | None = Field(default=None, ge=1, le=100_000)
    """How many entities go through together. Default: what suits the sink."""
    checkpoint_interval: int | None = Field(default=None, ge=1)
    """After how many batches the position in the source is stored, and at the end. Default: after each. More is less
    work for sinks that store it apart, such as SQL; after a kill they write more once more. Mail is sent once."""
    disable_set_last_seen: bool = False
    """Do not store the position in the source: every run reads all of it."""
    allow_cycle: bool = False
    """This pipe may feed itself through other pipes: the loop ends because nothing changes any more."""
    namespaced_identifiers: bool | None = None
    """Whether property names carry a namespace. Default: what `metadata` says."""
    namespaces: dict[str, str] | None = None
    """The `identity` and `property` namespaces. Default: the pipe's `_id`."""
    add_namespaces: bool | None = None
    """Whether the source's properties get the pipe's namespace."""
    remove_namespaces: bool | None = None
    """Whether the sink sees names without namespaces."""
    enable_background_rescan: bool = False
    """Read from Sesam configurations and ignored: a rescan takes the place of the run that is due."""
    rescan_when_config_changes: bool = False
    """Read the whole source again after the source, the transforms or the sink were changed in the configuration."""
    reprocessing_policy: Literal["continue", "automatic"] | None = None
    """Read from Sesam configurations and ignored: a pipe whose position is lost, as when its dataset was deleted, reads
    all."""
    infer_pipe_entity_types: bool | None = None
    """Read from Sesam configurations and ignored."""
    dependency_tracking: dict[str, object] | None = None
    """Read from Sesam configurations and ignored; `track-dependencies` in a join says whether it is followed."""
    compaction: dict[str, object] | None = None
    """Read from Sesam configurations and ignored: `mailweir datasets compact` removes old versions."""
    exclude_completeness: Many[str] | None = None
    """Datasets that do not count for how complete the pipe's own is."""
    include_completeness: Many[str] | None = None
    """Datasets that count for how complete the pipe's own is. Default: all that it reads and joins."""

    @classmethod
    def meant(cls, document: Document, node: Object, value: dict[str, object]) -> tuple[Object, dict[str, object]]:
        """With the source that `short_config` stands for."""
        return short_config.spelt_out(document, node, value)

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """A pipe has a source, and its pump knows when to run."""
        yield from short_config.faults(given)
        yield from _without_source(given)
        for pump in given.parts("pump"):
            for name in ("cron_expression", "rescan_cron_expression"):
                yield from _never(pump, name)
            yield from _nowhere(pump)


def namespaces_of(pipe: PipeConfig, metadata: MetadataConfig | None = None) -> tuple[str, str] | None:
    """The namespaces of identities and of properties in a pipe; None if its names have none."""
    enabled = pipe.namespaced_identifiers
    if enabled is None:
        enabled = metadata is not None and metadata.namespaced_identifiers is True
    given = pipe.namespaces or {}
    return (given.get("identity", pipe.id), given.get("property", pipe.id)) if enabled else None


# What comes from outside has no namespaces, and what goes outside is to have none.
_BROKERS: Final = frozenset({"amqp", "bus", "kafka", "mqtt", "nats", "redis_streams"})
_ADDING: Final = _BROKERS | {"csv", "embedded", "http_endpoint", "json", "ldap", "sql"}
_REMOVING: Final = _BROKERS | {
    "csv_endpoint",
    "elasticsearch",
    "http_endpoint",
    "json",
    "mail",
    "rest",
    "sms",
    "solr",
    "sql",
}


def namespaces_added(pipe: PipeConfig, metadata: MetadataConfig | None = None) -> tuple[str, str] | None:
    """The namespaces of identities and of properties that are added to what the source gives, if any are."""
    enabled = namespaces_of(pipe, metadata)
    if pipe.add_namespaces is None:
        return enabled if _type(pipe.source) in _ADDING else None
    return namespaces_of(pipe.model_copy(update={"namespaced_identifiers": True})) if pipe.add_namespaces else None


def namespaces_removed(pipe: PipeConfig, metadata: MetadataConfig | None = None) -> bool:
    """Whether the sink gets entities without namespaces."""
    if pipe.remove_namespaces is None:
        return namespaces_of(pipe, metadata) is not None and _type(pipe.sink) in _REMOVING
    return pipe.remove_namespaces


def dataset_of(pipe: PipeConfig) -> str | None:
    """The dataset that is the source of a pipe; None if its source is another one."""
    source = _chosen(pipe.source)
    return getattr(source, "dataset", None) if getattr(source, "type", "") == "dataset" else None


def _type(part: Any) -> str:  # noqa: ANN401 - a `conditional` one has alternatives
    """The type of a source or a sink; of a conditional one that of the chosen alternative."""
    return getattr(_chosen(part), "type", "")


def _chosen(part: Any) -> Any:  # noqa: ANN401 - as above
    while getattr(part, "type", None) == "conditional":
        part = part.alternatives.get(part.condition)
    return part


def _without_source(given: Given) -> Iterator[Problem]:
    if given.has("source") or given.has("short_config") or not given.node.whole:
        return
    sink = given.node.members.get("sink")
    mail = sink is not None and getattr(given.values.get("sink"), "type", None) in {"mail", "sms"}
    yield given.problem(
        "E605" if mail else "E204",
        "this pipe mails but has no `source`" if mail else "a pipe needs a `source`",
        "source",
        label="no `source` in this object",
        notes=(
            note("entities come from a source; without one nothing ever reaches the sink"),
            advice('add `"source": {"type": "dataset", "dataset": "…"}`, or another source: `mailweir list sources`'),
        ),
    )


def _never(pump: Given, name: str) -> Iterator[Problem]:
    """E203 for a time that cannot come."""
    text = pump.text(name)
    fault = None if text is None else cron_fault(text)
    if fault:
        at = pump.inside(name, fault.start, fault.end) if fault.end else pump.value(name)
        yield pump.problem("E203", f"`{name}` {fault.words}", name, at=at, notes=(advice(fault.help),))


def _nowhere(pump: Given) -> Iterator[Problem]:
    """E203 for a time zone that the database does not have."""
    name = pump.text("time_zone")
    if name is None or zone_of(name) is not None:
        return
    close = near(name, sorted(available_timezones()), most=1)
    meant = f'did you mean "{close[0]}"?' if close else 'write the name of one, such as "Europe/Oslo"'
    yield pump.problem("E203", f"there is no time zone `{name}`", "time_zone", notes=(advice(meant),))


class MetadataConfig(Identified):
    """Settings of the whole project (`node-metadata.conf.json`); what other tools keep here is left alone."""

    model_config = ConfigDict(extra="allow")
    kind: ClassVar[Kind] = "metadata"

    type: Literal["metadata"]
    """`metadata`."""
    namespaced_identifiers: bool | None = None
    """Whether property names carry a namespace, for pipes that do not say."""
    namespaces: dict[str, object] | None = None
    """`default`: the beginnings of addresses that namespaces stand for."""
    rdf: dict[str, object] | None = None
    """How entities get addresses for names, for the deprecated function `uri-expand`."""
