"""What came of a test, and the verdict on it. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from xml.etree import ElementTree as ET

from mailweir.testing import compare
from mailweir.testing.blacklist import Blacklist
from mailweir.testing.compare import Difference, Rules, differences, in_order, normal
from mailweir.testing.difference import view
from mailweir.testing.mails import as_expected
from mailweir.testing.matchers import ABSENT, holds, name_of, same
from mailweir.testing.plan import Test
from mailweir.testing.renewed import renewed

if TYPE_CHECKING:
    from sinks.mail.maker import Made

WRITTEN: Final = frozenset({"csv", "xml"})
"""Endpoints whose text is compared, as the sink writes it."""

State = Literal["passed", "failed", "error", "skipped"]

_SIGNS: Final = "- expected  + actual"
# Outcomes of mails that are no more than told of.
_CLOSED: Final = frozenset({"rejected", "discarded", "skipped"})


# asyncio writes results out as text when a run ends; of the trees in these that would take minutes.
@dataclass(slots=True, repr=False)
class Came:
    """What came.

    `mails` are all that was made of the entities, each with what became of it, and `made` the same as the sink has
    them; `failed` are entities that a transform
    had no answer to. `error` is why the pipe stopped, `broken` why the test could not be run.
    """

    entities: list[Any] = field(default_factory=list)
    mails: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    error: str = ""
    broken: str = ""

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """What becomes no mail, and what a transform has no answer to."""
        refused = [one for one in self.mails if one.get("outcome") == "rejected"]
        return [*refused, *({"_id": id_, "outcome": "rejected", "message": text} for id_, text in self.failed)]

    @property
    def discarded(self) -> list[dict[str, Any]]:
        """Mails over the limit."""
        return [one for one in self.mails if one.get("outcome") == "discarded"]

    @property
    def delivered(self) -> list[dict[str, Any]]:
        """Mails that were handed over, or wait."""
        return [one for one in self.mails if one.get("outcome") not in _CLOSED]


@dataclass(slots=True, repr=False)
class Verdict:
    """Whether a test passed. `lines` say why not, or why it was not run; `written` is what a file of it would hold.

    Of a case that failed `paste` is what it would have to expect.
    """

    test: Test
    state: State
    lines: Sequence[str] = ()
    seconds: float = 0.0
    found: Sequence[Difference] = ()
    written: Any = None
    paste: Any = None


def file_content(test: Test, came: Came) -> Any:
    """What a file of what is expected holds, for what came."""
    if test.endpoint == "eml" or test.endpoint in WRITTEN:
        return "\n".join(came.raw).replace("\r\n", "\n")
    found = came.mails if test.stage == "mail" else came.entities
    blacklist = Blacklist(test.blacklist)
    kept = [normal(one, blacklist) for one in found]
    if test.ignore_deletes:
        kept = [one for one in kept if not (isinstance(one, dict) and one.get("_deleted") is True)]
    return in_order(kept, test.sort_by)


def against_file(test: Test, came: Came, expected: Any, full: bool = False) -> Verdict:
    """The verdict on a test whose expected output is a file: entities, or the text of messages."""
    content = file_content(test, came)
    stopped = _stopped(test, came)
    if stopped is not None:
        stopped.written = content
        return stopped
    whole = test.mode != "contains"
    if isinstance(content, str):
        one, other = (_lines(text, xml=test.endpoint == "xml") for text in (expected, content))
        found = [] if one == other else [Difference("", (), one, other)]
    else:
        rules = Rules(Blacklist(test.blacklist), test.sort_by, test.ignore_deletes, whole=whole, extra=not whole)
        mails = test.stage == "mail"
        wanted = [as_expected(one) for one in expected] if mails else expected
        found = differences(wanted, came.mails if mails else came.entities, rules)
    if not found:
        return Verdict(test, "passed", written=content)
    text = isinstance(content, str)
    head = f"{file_beside(test)}: {'the text differs' if text else _how_many(test, found, expected)}"
    lines = [f"{head}    {_SIGNS}", "", *view(found, full=full, short=text)]
    return Verdict(test, "failed", lines, found=found, written=content)


def _lines(text: str, *, xml: bool) -> list[str]:
    """The lines that are compared: of XML those that it has with each element on one of its own."""
    if xml:
        try:
            # It is a file of the project itself; nobody else's XML is read here.
            root = ET.fromstring(text)  # noqa: S314
        except ET.ParseError:
            return text.split("\n")
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode")
    return text.rstrip("\n").split("\n")


def against_case(test: Test, came: Came, files: Mapping[str, str], full: bool = False) -> Verdict:
    """The verdict on a case."""
    expect = _by_name(test)
    stopped = _stopped(test, came, error="error" in expect, rejected="rejected" in expect or "error" in expect)
    if stopped is not None:
        return stopped
    contains = test.mode == "contains"
    rules = Rules(
        Blacklist(test.blacklist),
        test.sort_by,
        test.ignore_deletes,
        whole=test.mode == "equals",
        extra=contains,
        matching=True,
        files=files,
    )
    found: list[Difference] = []
    lists = {
        "entities": came.entities,
        "mails": came.delivered,
        "rejected": came.rejected,
        "discarded": came.discarded,
    }
    for name, actual in lists.items():
        if expect.get(name) is not None:
            some = differences(expect[name], actual, rules)
            found += [_named(one, name, alone=len(expect) == 1) for one in some]
    count = len(came.delivered if test.stage == "mail" else came.entities)
    others = list(_others(expect, came, rules, count))
    found += others
    if not found:
        return Verdict(test, "passed")
    head = f"{_counted(len(found))} in pipe `{test.pipe}`, stage `{test.stage}`"
    lines = [f"{head}    {_SIGNS}", "", *view(found, full=full, short=True), *_why_missing(found, came)]
    plain = {"outcomes": came.outcomes, "count": count, "logs": came.logs, "error": next(_errors(came), None)}
    paste = renewed(expect, lists, {one.path[0]: plain[one.path[0]] for one in others}, rules)
    return Verdict(
        test, "failed", lines, found=found, paste=paste if isinstance(test.expect, dict) else paste.popitem()[1]
    )


def _by_name(test: Test) -> dict[str, Any]:
    """What a case expects, by what it looks at."""
    expect = test.expect
    if not isinstance(expect, dict):
        expect = {"mails" if test.stage == "mail" else "entities": expect}
    mails = {name: [as_expected(one) for one in expect[name]] for name in ("mails", "discarded") if expect.get(name)}
    return {**expect, **mails}


def _why_missing(found: Sequence[Difference], came: Came) -> Iterator[str]:
    """Why there is no mail where one is expected."""
    missing = {one.id for one in found if one.actual is ABSENT and not one.path}
    for one in [*came.rejected, *came.discarded]:
        if one.get("_id") in missing:
            why = " ".join(str(one[name]) for name in ("code", "message") if one.get(name))
            yield f"  {one['_id']} is {one['outcome']}{': ' if why else ''}{why}"


def _named(one: Difference, name: str, *, alone: bool) -> Difference:
    """A difference with the list that it is in, where there are several."""
    return one if alone else one._replace(path=(f"({name})", *one.path))


def _others(expect: Mapping[str, Any], came: Came, rules: Rules, count: int) -> Iterator[Difference]:
    """What is not compared entity by entity."""
    if expect.get("outcomes") is not None:
        yield from compare.value_differences("", ("outcomes",), list(expect["outcomes"]), came.outcomes, rules)
    if expect.get("count") is not None and expect["count"] != count:
        yield Difference("", ("count",), expect["count"], count)
    for place, line in enumerate(expect.get("logs") or ()):
        if not any(_meets(line, one, rules) for one in came.logs):
            yield Difference("", ("logs", f"[{place}]"), line, came.logs)
    if "error" in expect and not any(_meets(expect["error"], text, rules) for text in _errors(came)):
        yield Difference("", ("error",), expect["error"], next(_errors(came), None))


def _errors(came: Came) -> Iterator[str]:
    """What stopped the pipe, or what entities failed with."""
    return iter([came.error] if came.error else [text for _, text in came.failed])


def _meets(expected: Any, actual: str, rules: Rules) -> bool:
    name = name_of(expected)
    if name is not None:
        return holds(name, expected[name], actual, rules.files)
    return same(expected, actual)


def _stopped(test: Test, came: Came, *, error: bool = False, rejected: bool = False) -> Verdict | None:
    """The verdict where nothing can be compared: what nobody expects to fail must not."""
    if came.broken:
        return Verdict(test, "error", [came.broken])
    if came.error and not error:
        return Verdict(test, "error", [f"the pipe `{test.pipe}` stopped: {came.error}"])
    if came.failed and not rejected:
        lines = [f"entity `{id_}` failed: {text}" for id_, text in came.failed[:20]]
        return Verdict(test, "failed", lines)
    return None


def _counted(number: int) -> str:
    return "1 difference" if number == 1 else f"{number} differences"


def _how_many(test: Test, found: Sequence[Difference], expected: Sequence[Any]) -> str:
    """How much is as expected, and how much is not."""
    differing = len({one.id for one in found})
    right = max(0, len(expected) - differing)
    noun = ("mail", "mails") if test.stage == "mail" else ("entity", "entities")
    verb = "differs" if differing == 1 else "differ"
    return f"{right} of {len(expected)} {noun[len(expected) != 1]} as expected, {differing} {verb}"


def file_beside(test: Test) -> str:
    """The file of what is expected, named as the test is."""
    folder, slash, _ = test.document.rpartition("/")
    return f"{folder}{slash}{test.file}"
