"""A test file becomes tests, and everything that is wrong with it. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mailweir.testing.moments import NOW, GivenError, is_script, moments, seconds_of, time_of
from mailweir.testing.spec import ENDING, NOUN, Circumstances, Endpoint, Spec, Stage, SystemWish
from mailweir.testing.wording import expect_faults, inside, leaves, mock_faults
from pipeline.config.given import advice, note, opening
from pipeline.config.near import near
from pipeline.config.strangers import settle
from pipeline.config.tree import Array, Document, Node, Object, plain
from pipeline.config.validate import describe, validate
from pipeline.errors import Problem, Span

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
    planned = Planned([], [_for_tests(one) for one in document.problems])
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


def _for_tests(problem: Problem) -> Problem:
    """A fault of syntax in the words of tests."""
    if problem.code != "E114":
        return problem
    return replace(
        problem, notes=(advice("a test file holds one object; `{}` is a whole test, with a file beside it"),)
    )


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
        if spec.endpoint is not None:
            # Without a stage of its own, a test of whole messages is one of mails.
            base = replace(base, endpoint=spec.endpoint, stage="mail" if spec.endpoint == "eml" else base.stage)
        base = self._under(base, spec, self._root)
        if base.endpoint != "json" and spec.cases is not None and spec.file is None:
            wrong = "`endpoint` is the form of a file of what is expected, and these are cases"
            self._fault("E203", wrong, inside(self._root, "endpoint"), "leave it out, or name a `file`")
        elif base.endpoint == "eml" and base.stage != "mail":
            self._fault("E203", '`endpoint` `eml` is for `"stage": "mail"`', inside(self._root, "endpoint"))
        if spec.cases is None or spec.file is not None:
            file = spec.file or f"{self._name}.json"
            yield replace(base, name=file.rpartition("/")[2], file=file, seed=spec.seed or file)
        nodes = inside(self._root, "cases")
        items = nodes.items if isinstance(nodes, Array) else []
        names: dict[str, Node] = {}
        for case, node in zip(spec.cases or (), items, strict=True):
            assert isinstance(node, Object)  # noqa: S101 - it became a case
            if case.name in names:
                self._fault("E706", f"two cases are named `{case.name}`", inside(node, "name"))
            names[case.name] = node
            span = opening(self._document, node)
            own = replace(base, name=case.name, span=span, seed=case.seed or spec.seed or case.name)
            own = self._under(own, case, node)
            place = inside(node, "expect") or node
            self.problems += expect_faults(self._document, case.expect, place, own.stage, self._exists)
            yield replace(own, expect=case.expect, endpoint="json", only=base.only or case.only is not None)

    def _look(self) -> None:
        """What can be said of the file as a whole."""
        spec, root = self._spec, self._root
        pipe = spec.pipe or self._name
        if self._pipes is not None and pipe not in self._pipes:
            close = near(pipe, self._pipes)
            meant = f"did you mean `{close[0]}`?" if close else "pipes: `mailweir list pipes`"
            where = "" if spec.pipe else "; the name of the file says which one it is for"
            self._fault("E702", f"there is no pipe `{pipe}`{where}", inside(root, "pipe"), meant)
        file = spec.file or f"{self._name}.json"
        if leaves(file):
            self._fault("E203", "`file` is a file beside the test or below", inside(root, "file"))
        elif self._expects and (spec.cases is None or spec.file) and not spec.ignore and not self._exists(file):
            self._fault(
                "E703",
                f"what is expected, `{file}`, is not there",
                inside(root, "file"),
                f"write what comes now, then read it: mailweir test --update {self._document.name}",
            )
        if spec.cases is not None and not spec.cases and spec.file is None:
            self._fault("E203", "`cases` is empty, so nothing is tested", inside(root, "cases"))
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
                    self._document.span(inside(root, "description") or root),
                    "written from what came",
                    ("description",),
                    notes=(advice("read the expected output, then say here what the test is for"),),
                )
            )

    def _under(self, base: Test, what: Circumstances, node: Object) -> Test:
        """A test under circumstances; what they leave out is as it was."""
        now = time_of(what.now) if what.now is not None else None
        if what.now is not None and now is None:
            self._fault("E203", f"`now` is a time in UTC, such as `{NOW}`", inside(node, "now"))
        step = None if what.step is None else seconds_of(what.step)
        if what.step is not None and step is None:
            self._fault("E203", "`step` is a span of time, such as `1s`", inside(node, "step"))
        made = replace(
            base,
            stage=what.stage or base.stage,
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
        if what.given is not None:
            self._given(what.given, inside(node, "given"), made)
        mocks = inside(node, "mocks")
        if isinstance(mocks, Object):
            for name, answers in what.mocks.items():
                self.problems += mock_faults(self._document, name, answers, mocks)
        return made

    def _given(self, given: object, node: Node | None, test: Test) -> None:
        """What is given can be read."""
        if isinstance(given, str):
            if leaves(given):
                self._fault("E203", "`given` names a file beside the test or below", node)
            return
        parts: list[tuple[object, Node | None]] = [(given, node)]
        if isinstance(given, dict) and not is_script(given):
            parts = [(value, inside(node, name)) for name, value in given.items()]
        for value, place in parts:
            if isinstance(value, str) and not leaves(value):
                continue
            items = [value] if is_script(value) else value
            if not isinstance(items, list):
                self._fault("E203", "`given` is a list of entities, or the name of a file with them", place)
                continue
            try:
                moments(items, test.now, test.step)
            except GivenError as error:
                path = error.path[1:] if is_script(value) else error.path
                self._fault("E203", str(error), inside(place, *path) or place)

    def _fault(self, code: str, message: str, node: Node | None, *help_: str) -> None:
        span = self._document.span(node) if node is not None else opening(self._document, self._root)
        self.problems.append(Problem(code, message, span, notes=tuple(map(advice, help_))))


def _wish(base: SystemWish | None, own: SystemWish | None) -> SystemWish | None:
    if base is None or own is None:
        return own or base
    return base.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
