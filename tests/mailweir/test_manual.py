"""What the manual says about types, computed from small config classes and from the installed ones."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated, Literal

import pytest
from pydantic import Field

from mailweir.manual import PropertyManual, TypeManual, either, manual, manuals, properties, settings_manual
from pipeline.component import Many, Part, Refers, Slot, SourceConfig, SystemConfig, Writes
from pipeline.config.installed import installed
from pipeline.config.shape import shapes
from pipeline.secret import Secret

registry = installed()


class Inner(Part):
    """An object."""

    depth: int = 3
    """How deep."""


class Everything(SystemConfig):
    """Each sort of property, once."""

    type: Literal["system:everything"]
    """The type."""
    free: int | None = None
    count: int = Field(1000, ge=1)
    """How many
    there are."""
    port: int = Field(25, ge=1, le=65535)
    wait: Annotated[float, Field(gt=0, le=10)] = 2.5
    half: float = Field(1, ge=0, lt=1)
    most: int | None = Field(None, le=9)
    flag: bool = False
    way: Literal["left", "right", "round"] = "left"
    maybe: bool | Literal["if_offered"] = "if_offered"
    text: str
    texts: Many[str] = ()
    full: Annotated[Many[str], Field(min_length=1)] = ("a",)
    key: Secret | None = None
    login: str | Secret | None = None
    inner: Inner = Field(default_factory=Inner)
    inners: Many[Inner] = ()
    table: dict[str, str] = Field(default_factory=dict)
    lists: dict[str, list[object]] | None = None
    anything: dict[str, object] | None = None
    source: Annotated[SourceConfig | None, Slot("source")] = None
    sources: Annotated[Many[SourceConfig], Slot("source", "list")] = ()
    named: Annotated[dict[str, SourceConfig], Slot("source", "object")]
    system: Annotated[str, Refers("system", None, "carry mail")] = ""
    systems: Annotated[Many[str], Refers("system")] = ()
    dataset: Annotated[str | None, Refers("dataset")] = None
    datasets: Annotated[Many[str], Refers("dataset")] = ()
    written: Annotated[str | None, Writes()] = None


def of(name: str) -> PropertyManual:
    """The property of this name in the class above."""
    found = TypeManual("system", "system:everything", "", properties(Everything)).find(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("type", '"system:everything", required'),
        ("free", "integer"),
        ("count", "integer, 1 or more, default 1000"),
        ("port", "integer, 1 to 65535, default 25"),
        ("wait", "number, more than 0 and at most 10, default 2.5"),
        ("half", "number, 0 or more and less than 1, default 1"),
        ("most", "integer, at most 9"),
        ("flag", "true or false, default false"),
        ("way", '"left", "right" or "round", default "left"'),
        ("maybe", 'true, false or "if_offered", default "if_offered"'),
        ("text", "string, required"),
        ("texts", "list of strings"),
        ("full", 'list of strings, not empty, default ["a"]'),
        ("key", "secret"),
        ("login", "string or secret"),
        ("inner", "object"),
        ("inner.depth", "integer, default 3"),
        ("inners", "list of objects"),
        ("inners.depth", "integer, default 3"),
        ("table", "object of strings"),
        ("lists", "object of lists"),
        ("anything", "object"),
        ("source", "a source"),
        ("sources", "a source, or a list of sources"),
        ("named", "object of sources, by name, required"),
        ("system", '`_id` of a system that can carry mail, default ""'),
        ("systems", "list of `_id`s of systems"),
        ("dataset", "name of a dataset"),
        ("datasets", "list of names of datasets"),
        ("written", "name of a dataset"),
        ("description", "string or list of strings"),
    ],
)
def test_the_type_of_a_property_in_words(name: str, facts: str) -> None:
    """Type, range, default and whether it is required are one line that people can read."""
    assert of(name).facts == facts


def test_words_of_a_summary_stand_on_one_line() -> None:
    """Line breaks of the source are no line breaks of the manual."""
    assert of("count").description == "How many there are."
    assert all("\n" not in one.summary for one in manuals(registry))


def test_marks_of_a_property() -> None:
    """Secrets, choices, objects and components are said apart from the words."""
    assert (of("key").secret, of("login").secret, of("text").secret) == (True, True, False)
    assert of("way").choices == ("left", "right", "round")
    assert [one.name for one in of("inner").nested] == ["depth", "comment", "$schema"]
    assert (of("sources").component, of("inner").component) == ("source", None)


def test_type_and_id_come_first_and_what_all_components_have_last() -> None:
    """A reader finds the own properties of a type before those that every component has."""
    names = [one.name for one in properties(Everything)]
    assert names[:3] == ["type", "_id", "free"]
    assert names[-2:] == ["comment", "$schema"]
    assert names.index("written") < names.index("worker_threads") < names.index("description")


def test_a_property_is_found_whatever_its_case() -> None:
    """People do not remember how a name is written."""
    assert of("PORT") is not None
    assert TypeManual("pipe", "pipe", "", properties(Everything)).find("inner.nothing") is None
    assert TypeManual("pipe", "pipe", "", properties(Everything)).find("port.least") is None


def test_every_installed_type_has_a_manual() -> None:
    """No type, and no property at any depth, is without words; every property of a class is there."""
    found = list(manuals(registry))
    systems = {f"system:{one.name}" for one in entry_points(group="mailweir.systems")}
    assert {one.type for one in found if one.kind == "system"} == systems
    assert [one.type for one in found if one.kind == "system"] == [
        "system:amqp",
        "system:bus",
        "system:eml",
        "system:fake",
        "system:kafka",
        "system:ldap",
        "system:mqtt",
        "system:mssql",
        "system:mysql",
        "system:nats",
        "system:oracle",
        "system:oracle_tns",
        "system:postgresql",
        "system:redis",
        "system:rest",
        "system:smtp",
        "system:spool",
        "system:sql",
        "system:sqlite",
        "system:twilio",
        "system:url",
    ]
    assert found[-1] == settings_manual()
    for one in found:
        assert one.summary.endswith("."), one.title
        for name, item in _all(one.properties):
            assert item.description.endswith("."), f"{one.title}.{name}"
            assert item.type_words, f"{one.title}.{name}"


def _all(items: tuple[PropertyManual, ...], before: str = "") -> list[tuple[str, PropertyManual]]:
    return [pair for one in items for pair in ((before + one.name, one), *_all(one.nested, f"{before}{one.name}."))]


def test_a_manual_has_each_property_once() -> None:
    """Ordering loses nothing and doubles nothing."""
    for kind in ("system", "pipe", "sink", "source", "transform", "metadata"):
        for name in registry.names(kind):
            model, one = registry.find(kind, name), manual(registry, kind, name)
            assert model is not None
            assert one is not None
            assert sorted(item.name for item in one.properties) == sorted(shapes(model))


def test_the_limit_of_a_mail_system() -> None:
    """The property that the product is named after, as `explain` prints it."""
    one = manual(registry, "system", "system:smtp")
    assert one is not None
    limit = one.find("max_per_hour")
    assert limit is not None
    assert limit.facts == "integer, 0 to 10000000, default 1000"


def test_a_type_that_is_not_there_has_no_manual() -> None:
    """A name that nothing is installed for gives None."""
    assert manual(registry, "sink", "nothing") is None


def test_titles() -> None:
    """Types that exist in several kinds are named with their kind."""
    titles = {one.title for one in manuals(registry)}
    assert titles >= {"system:smtp", "sink mail", "source dataset", "sink dataset", "pipe", "mailweir.json"}


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b", "a"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_alternatives_in_words(words: list[str], text: str) -> None:
    """Each word once, the last after `or`."""
    assert either(words) == text
