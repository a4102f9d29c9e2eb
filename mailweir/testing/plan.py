"""A test file becomes tests, and everything that is wrong with it. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mailweir.testing.matchers import fault_of, matchers_in, name_of
from mailweir.testing.moments import NOW, GivenError, is_script, moments, seconds_of, time_of
from mailweir.testing.spec import ENDING, NOUN, Case, Circumstances, Endpoint, Expected, Spec, Stage, SystemWish
from pipeline.config.given import advice, note, opening
from pipeline.config.near import near
from pipeline.config.strangers import settle
from pipeline.config.tree import Array, Document, Node, Object, plain
from pipeline.config.validate import describe, validate
from pipeline.errors import Problem, Span
from pipeline.receipt import Outcome

_MOCKED: Final = ("system", "http", "transform")
_OUTCOMES: Final = [str(one) for one in Outcome if one is not Outcome.WRITTEN]

CAPTURED: Final = "captured, not reviewed"
"""The description of a test that was written from what came, until somebody has read it."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test that can be run. `expect` is what a case expects; without a case what is expected stands in `file`."""

    __test__ = False  # for pytest, which looks for classes of this name

    document: str
    name: str
    pipe: str
    span: Span
    stage: Stage = "sink"
    endpoint: Endpoint = "json"
    given: Any = None
    now: int = 0
    step: float = 0.0
    seed: str = ""
    env: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    mocks: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    system: SystemWish | None = None
    mode: str | None = None
    file: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    expect: Any = None
    blacklist: Sequence[str] = ()
    sort_by: Sequence[str] = ("_id",)
    ignore_deletes: bool = True
    skip: str | None = None
    only: bool = False
    marks: Sequence[str] = ()


@dataclass(slots=True)
class Planned:
    """The tests of a file in their order, and its problems."""

    tests: list[Test] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_tests(
    document: Document, pipes: Collection[str] | None, exists: Callable[[str], bool], *, expects: bool = True
) -> Planned:
    """The tests in a document. `pipes` are those of the project, None where that is not known.

    `exists` says whether there is a file beside the document. Without `expects` one that is missing is no fault: it is
    about to be written.
    """
    planned = Planned([], list(document.problems))
    root = document.root
    if not isinstance(root, Object):
        if root is not None:
            wrong = f"a test file holds one object, not {describe(plain(root))}"
            planned.problems.append(Problem("E202", wrong, document.span(root)))
        return planned
    if not root.whole:
        return planned  # what is missing may stand in what could not be read
    value = plain(root)
    assert isinstance(value, dict)  # noqa: S101 - of an object
    strangers = settle(document, root, value, Spec, NOUN, ())
    usable = {key: item for key, item in strangers.value.items() if key not in strangers.names}
    spec, _, faults = validate(Spec, usable, strangers.unsure, document, strangers.node, (), NOUN)
    found = [*strangers.problems, *strangers.told(), *faults]
    planned.problems += [replace(one, code="E701") if one.code == "E201" else one for one in found]
    if spec is None or strangers.names:
        return planned
    reader = _Reader(document, root, spec, pipes, exists, expects)
    planned.tests = list(reader.tests())
    planned.problems += reader.problems
    return planned


class _Reader:
    """One file, whose words are right."""

    def __init__(
        self,
        document: Document,
        root: Object,
        spec: Spec,
        pipes: Collection[str] | None,
        exists: Callable[[str], bool],
        expects: bool,
    ) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._root = root
        self._spec = spec
        self._pipes = pipes
        self._exists = exists
        self._expects = expects
        self._name = document.name.rpartition("/")[2].removesuffix(ENDING)

    def tests(self) -> Iterator[Test]:
        spec = self._spec
        self._look()
        base = Test(
            self._document.name,
            "",
            spec.pipe or self._name,
            opening(self._document, self._root),
            parameters=spec.parameters,
            blacklist=spec.blacklist,
            sort_by=spec.fields_to_sort_by or ("_id",),
            ignore_deletes=spec.ignore_deletes,
            skip="it is ignored" if spec.ignore else None,
            only=spec.only is not None,
        )
        base = self._under(base, spec, self._root)
        if spec.cases is None or spec.file is not None:
            file = spec.file or f"{self._name}.json"
            # Without a stage of its own, a test of whole messages is one of mails.
            yield replace(base, name=file.rpartition("/")[2], file=file, seed=spec.seed or file)
        nodes = self._node(self._root, "cases")
        items = nodes.items if isinstance(nodes, Array) else []
        names: dict[str, Node] = {}
        for case, node in zip(spec.cases or (), items, strict=True):
            assert isinstance(node, Object)  # noqa: S101 - it became a case
            if case.name in names:
                self._fault("E706", f"two cases are named `{case.name}`", self._node(node, "name"))
            names[case.name] = node
            span = opening(self._document, node)
            own = replace(base, name=case.name, span=span, seed=case.seed or spec.seed or case.name)
            own = self._under(own, case, node)
            self._expected(case, node)
            yield replace(own, expect=case.expect, only=base.only or case.only is not None)

    def _look(self) -> None:
        """What can be said of the file as a whole."""
        spec, root = self._spec, self._root
        pipe = spec.pipe or self._name
        if self._pipes is not None and pipe not in self._pipes:
            close = near(pipe, self._pipes)
            meant = f"did you mean `{close[0]}`?" if close else "pipes: `mailweir list pipes`"
            where = "" if spec.pipe else "; the name of the file says which one it is for"
            self._fault("E702", f"there is no pipe `{pipe}`{where}", self._node(root, "pipe"), meant)
        file = spec.file or f"{self._name}.json"
        if _leaves(file):
            self._fault("E203", "`file` is a file beside the test or below", self._node(root, "file"))
        elif self._expects and (spec.cases is None or spec.file) and not spec.ignore and not self._exists(file):
            self._fault(
                "E703",
                f"what is expected, `{file}`, is not there",
                self._node(root, "file"),
                f"write what comes now, then read it: mailweir test --update {self._document.name}",
            )
        for name in ("ignore", "blacklist"):
            if getattr(spec, name):
                hidden = "the test is not run" if name == "ignore" else "what is left out is not tested"
                key = root.members[name].key if name in root.members else root
                self.problems.append(
                    Problem(
                        "W704",
                        f"`{name}` hides differences",
                        self._document.span(key),
                        hidden,
                        (name,),
                        notes=(note("time, chance and identifiers are the same in every run of a test"),),
                    )
                )
        if spec.description == CAPTURED:
            self.problems.append(
                Problem(
                    "W708",
                    "nobody has read what this test expects",
                    self._document.span(self._node(root, "description") or root),
                    "written from what came",
                    ("description",),
                    notes=(advice("read the expected output, then say here what the test is for"),),
                )
            )

    def _under(self, base: Test, what: Circumstances, node: Object) -> Test:
        """A test under circumstances; what they leave out is as it was."""
        now = time_of(what.now) if what.now is not None else None
        if what.now is not None and now is None:
            self._fault("E203", f"`now` is a time in UTC, such as `{NOW}`", self._node(node, "now"))
        step = None if what.step is None else seconds_of(what.step)
        if what.step is not None and step is None:
            self._fault("E203", "`step` is a span of time, such as `1s`", self._node(node, "step"))
        made = replace(
            base,
            stage=what.stage or ("mail" if what.endpoint == "eml" else base.stage),
            endpoint=what.endpoint or base.endpoint,
            given=base.given if what.given is None else what.given,
            now=now or base.now or time_of(NOW) or 0,
            step=base.step if step is None else step,
            env={**base.env, **what.env},
            secrets={**base.secrets, **what.secrets},
            mocks={**base.mocks, **what.mocks},
            mode=what.mode or base.mode,
            system=_wish(base.system, what.system),
            skip=base.skip or what.skip,
            marks=(*base.marks, *what.marks),
        )
        if made.endpoint == "eml" and made.stage != "mail":
            self._fault("E203", '`endpoint` `eml` is for `"stage": "mail"`', self._node(node, "endpoint"))
        if what.given is not None:
            self._given(what.given, self._node(node, "given"), made)
        for name in what.mocks:
            kind, _, rest = name.partition(":")
            if kind not in _MOCKED or not rest:
                close = [f"did you mean `{one}:{rest}`?" for one in near(kind, _MOCKED)[:1] if rest]
                mocks = self._node(node, "mocks")
                place = mocks.members[name].key if isinstance(mocks, Object) and name in mocks.members else mocks
                wrong = f"`{name}` is no mock: write `system:<_id>`, `http:<_id>` or `transform:<function>`"
                self._fault("E203", wrong, place, *close)
        return made

    def _given(self, given: object, node: Node | None, test: Test) -> None:
        """What is given can be read."""
        if isinstance(given, str):
            if _leaves(given):
                self._fault("E203", "`given` names a file beside the test or below", node)
            return
        parts: list[tuple[object, Node | None]] = [(given, node)]
        if isinstance(given, dict) and not is_script(given):
            parts = [(value, self._node(node, name)) for name, value in given.items()]
        for value, place in parts:
            if isinstance(value, str) and not _leaves(value):
                continue
            items = [value] if is_script(value) else value
            if not isinstance(items, list):
                self._fault("E203", "`given` is a list of entities, or the name of a file with them", place)
                continue
            try:
                moments(items, test.now, test.step)
            except GivenError as error:
                path = error.path[1:] if is_script(value) else error.path
                self._fault("E203", str(error), self._node(place, *path) or place)

    def _expected(self, case: Case, node: Object) -> None:
        """What a case expects can be compared."""
        place = self._node(node, "expect")
        expect = case.expect
        if isinstance(expect, dict) and isinstance(place, Object) and name_of(expect) is None:
            strangers = settle(self._document, place, expect, Expected, "`expect`", ("expect",))
            usable = {key: item for key, item in strangers.value.items() if key not in strangers.names}
            _, _, faults = validate(Expected, usable, strangers.unsure, self._document, place, ("expect",), "`expect`")
            found = [*strangers.problems, *strangers.told(), *faults]
            self.problems += [replace(one, code="E701") if one.code == "E201" else one for one in found]
            self._outcomes(expect.get("outcomes"), place)
        elif not isinstance(expect, list):
            self._fault("E202", f"`expect` is a list or an object, not {describe(expect)}", place)
        for path, name, argument in matchers_in(expect):
            fault = fault_of(name, argument)
            if fault:
                self._fault("E707", fault, self._node(place, *path) or place)
            elif name == "$file" and (_leaves(str(argument)) or not self._exists(str(argument))):
                self._fault("E703", f"`{argument}` is not beside the test", self._node(place, *path, name) or place)

    def _outcomes(self, outcomes: object, node: Node | None) -> None:
        """What becomes of mails has words."""
        for index, word in enumerate(outcomes if isinstance(outcomes, list) else ()):
            if isinstance(word, str) and word not in _OUTCOMES:
                close = [f"did you mean `{one}`?" for one in near(word, _OUTCOMES)[:1]]
                help_ = close or [f"words: {', '.join(_OUTCOMES)}"]
                self._fault("E203", f"no mail becomes `{word}`", self._node(node, "outcomes", index), *help_)

    def _node(self, node: Node | None, *path: str | int) -> Node | None:
        """What stands at a path, if it does."""
        for part in path:
            if isinstance(node, Object) and part in node.members:
                node = node.members[str(part)].value
            elif isinstance(node, Array) and isinstance(part, int) and part < len(node.items):
                node = node.items[part]
            else:
                return None
        return node

    def _fault(self, code: str, message: str, node: Node | None, *help_: str) -> None:
        span = self._document.span(node) if node is not None else opening(self._document, self._root)
        self.problems.append(Problem(code, message, span, notes=tuple(map(advice, help_))))


def _wish(base: SystemWish | None, own: SystemWish | None) -> SystemWish | None:
    if base is None or own is None:
        return own or base
    return base.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _leaves(name: str) -> bool:
    """Whether a name leads out of the folder that it is in."""
    return name.startswith("/") or ".." in name.split("/") or "\0" in name or not name.strip("./")
