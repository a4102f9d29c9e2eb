"""What a `*.test.json` may say: the words, with their meanings. No I/O."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from pipeline.component import Advice, Many, Part

NOUN: Final = "a test"
ENDING: Final = ".test.json"

Stage = Literal["source", "before-transform", "after-transform", "sink", "mail"]
Endpoint = Literal["json", "xml", "csv", "eml"]


class SystemWish(Part):
    """What a mail system lets through in a test, in place of what is declared."""

    max_per_hour: int | None = Field(default=None, ge=0, le=10_000_000)
    """The most messages in any span of 60 minutes."""
    on_limit: Literal["discard", "queue"] | None = None
    """What happens to a message over the limit."""
    count_by: Literal["message", "recipient"] | None = None
    """What counts against the limit."""


class Circumstances(Part):
    """What a test begins with. At the top of a file these are the defaults of its cases."""

    given: object = None
    """Entities for the pipe's source: a list, the name of a file beside the test, or an object that has a list or a
    file for each dataset, or, as `pipe:<id>`, for the source of each pipe. An item of a list is an entity;
    `{"at": "+61m", "entity": …}`, one that comes later; or
    `{"repeat": 3, "step": "10s", "entity": {"_id": "c{n}"}}`, several. Default: `testdata/<pipe>.json`, entities that
    the source itself has, or what the pipes upstream make."""
    now: str | None = None
    """The time at the beginning, which stands still. Default: 2026-01-01T12:00:00Z."""
    step: str | None = None
    """How much later each entity comes than the one before: `1s`, `5m`."""
    seed: str | None = None
    """What chance begins with. Default: the name of the test."""
    env: dict[str, object] = Field(default_factory=dict)
    """Values for `$ENV()` in this test."""
    secrets: dict[str, str] = Field(default_factory=dict)
    """Values for `$SECRET()` in this test. Those that are not here are `secret:<name>`; real ones are never read."""
    mocks: dict[str, Many[object]] = Field(default_factory=dict)
    """Answers in place of what would need a network: by `system:<mail system>` one `{"code": 451, "text": "…"}` for
    each mail that is handed over, in turn, with `to` for this recipient only; by `http:<system>` one
    `{"status": 200, "headers": {}, "body": …}` for each request to a service; by `transform:<function>` what a function
    of Python gives for each entity."""
    mode: Literal["equals", "contains"] | None = None
    """`equals`: everything is compared; `contains`: what is expected is a part of what comes. By itself a file is
    compared whole, and of a case the properties that it names."""
    stage: Stage | None = None
    """Where to look: `source`, `before-transform`, `after-transform`, `sink`, or `mail`: what the mail sink would hand
    over. Default: `sink`."""
    system: SystemWish | None = None
    """Another limit for the mail system of the pipe."""
    skip: str | None = None
    """Why it is not run."""
    marks: Many[str] = ()
    """Marks for pytest."""


class Case(Circumstances):
    """One case: what is given, and what is expected of it."""

    name: str = Field(min_length=1)
    """What it shows. No other test of the file has the same name."""
    description: str | None = None
    """For people."""
    expect: object
    """Entities, or mails at the stage `mail`; or an object of `entities`, `mails`, `outcomes`, `rejected`, `discarded`,
    `logs`, `error`, `count`."""
    only: str | None = None
    """Why only this one is run; refused where `CI` is set."""


class MailAnswer(Part):
    """What a mail system answers to a mail; without a `code` it is no answer at all."""

    code: int | None = Field(default=None, ge=200, le=599)
    """The code of the reply: 250 takes the mail, 451 takes it later, 550 never."""
    text: str | None = None
    """The words of the reply."""
    to: str | None = None
    """The recipient that it is for; all others are taken. Default: all of them."""


class HttpAnswer(Part):
    """What a service answers to a request; an empty one breaks off."""

    status: int = Field(default=200, ge=100, le=599)
    """The status."""
    headers: dict[str, object] = Field(default_factory=dict)
    """Header fields by their names."""
    body: object = None
    """A text as it is, anything else as JSON."""


class Expected(Part):
    """What a case expects, by what it looks at."""

    entities: Many[object] | None = None
    """Entities at the stage, in any order."""
    mails: Many[object] | None = None
    """Mails that were handed over or wait, in any order."""
    outcomes: Many[object] | None = None
    """One word for each mail, in the order of the entities."""
    rejected: Many[object] | None = None
    """What becomes no mail: `_id`, `code`, `message`."""
    discarded: Many[object] | None = None
    """Mails over the limit."""
    logs: Many[object] | None = None
    """Lines of the log; each of these is met by one of them."""
    error: object = None
    """What stops the pipe."""
    count: int | None = Field(default=None, ge=0)
    """How many entities or mails there are."""


class Spec(Circumstances):
    """A test file. `{}` is a whole one: the pipe `<name>`, whose output is in `<name>.json` beside it."""

    id: str | None = Field(default=None, alias="_id")
    """Its name; by itself that of the file."""
    type: Literal["test"] = "test"
    """`test`."""
    description: str | None = None
    """For people."""
    pipe: str | None = None
    """The pipe; by itself the name of the file."""
    file: str | None = Field(default=None, min_length=1)
    """The file of what is expected, beside this one. Default: `<name>.json`."""
    endpoint: Annotated[
        Endpoint | None, Advice(help=('entities, as those of a sheet are, are compared as "json"',))
    ] = None
    """The form of that file: `json` for entities, `csv` or `xml` for the text that such a sink writes, `eml` for
    whole messages. Default: `json`."""
    parameters: dict[str, object] = Field(default_factory=dict)
    """Parameters with which a published endpoint is asked: `_B` in rules."""
    ignore: bool = False
    """Leave the test out."""
    ignore_deletes: bool = True
    """Deleted entities that are not expected count as none."""
    blacklist: Many[str] = ()
    """Properties that are not compared: `a.*.b`, `items[].price`."""
    fields_to_sort_by: Many[str] = ("_id",)
    """What tells one entity from another."""
    cases: Many[Case] | None = None
    """Cases, each with what is given and what is expected."""
    only: str | None = None
    """Why only this file is run; refused where `CI` is set."""
