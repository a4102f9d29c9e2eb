"""The tests of one or more projects: collected, run, and told apart by names that an editor and pytest understand."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailweir.testing.aims import aims_of
from mailweir.testing.came import WRITTEN, Came, Verdict, against_case, against_file
from mailweir.testing.coverage import Coverage
from mailweir.testing.files import TestFile, file_of, files_of
from mailweir.testing.matchers import matchers_in
from mailweir.testing.run import Runner
from mailweir.testing.states import States
from pipeline.config.files import read_document, root_of, shown
from pipeline.config.load import Loaded, Options, load, project_root
from pipeline.config.places_invented import Invented
from pipeline.config.selection import reported
from pipeline.config.text import Limits
from pipeline.config.tree import Array, Lines, plain

if TYPE_CHECKING:
    from mailweir.testing.plan import Test
    from mailweir.testing.reached import Reached
    from pipeline.errors import Problem
    from pipeline.pipe import PipeConfig

# What is expected of a run is larger than a configuration.
_LIMITS: Final = Limits(bytes=200_000_000)
# What Go's `encoding/json` escapes by itself: in JSON these stand in texts only.
_ESCAPES: Final = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """A test file of a project."""

    loaded: Loaded
    file: TestFile

    @property
    def name(self) -> str:
        """As messages name it."""
        return self.file.document.name

    @property
    def faults(self) -> list[Problem]:
        """What keeps its tests from being run."""
        settings = self.loaded.settings
        problems = self.file.planned.problems
        return [one for one in problems if one.level == "error" and reported(one, settings.select, settings.ignore)]

    def line(self, test: Test) -> int:
        """The line of a test in it."""
        return Lines(self.file.document.text).place(test.span.start)[0]


@dataclass(slots=True)
class Suite:
    """Tests, as they are found from a folder. Closed when all have run. `reached` is told what they reach."""

    options: Options
    full: bool = False
    reached: Reached | None = None
    _states: States = field(default_factory=States)
    _runners: dict[tuple[Path, str], Runner] = field(default_factory=dict)

    def close(self) -> None:
        """Remove what the tests kept."""
        self._states.close()

    def collect(self, paths: Sequence[Path], *, expects: bool = True) -> Iterator[Found]:
        """The test files of the projects around these paths, and of those below them."""
        by_root: dict[Path, list[Path]] = {}
        for path in paths:
            by_root.setdefault(project_root(path), []).append(path)
        waiting = [(root, [] if root in wanted else wanted) for root, wanted in by_root.items()]
        done: set[Path] = set()
        while waiting:
            root, wanted = waiting.pop(0)
            if root in done:
                continue
            done.add(root)
            loaded = self.loaded(root)
            nested = [one for one in loaded.nested if not wanted or any(one.is_relative_to(each) for each in wanted)]
            waiting[:0] = [(folder, []) for folder in nested]
            for file in files_of(loaded, self.options.here, wanted, expects=expects):
                yield Found(loaded, file)

    def projects(self) -> list[Loaded]:
        """Those that were met, as they are without values of a test."""
        plain = json.dumps([{}, {}])
        return [runner.loaded for (_, values), runner in self._runners.items() if values == plain]

    def coverage(self, tested: Collection[tuple[str, str]]) -> Coverage:
        """What the tests reached of all pipes; `tested` are those that there is a test for, with their projects."""
        found = Coverage()
        keys = {} if self.reached is None else self.reached.pipes
        roots = {Path(root) for root, _ in tested} | {loaded.root for loaded in self.projects()}
        for root in sorted(roots):
            for one in self.loaded(root).project.components:
                if one.kind == "pipe" and one.id:
                    name = str(root), one.id
                    at = shown(root, self.options.here)
                    found.add(at, one.id, aims_of(one, root), keys.get(name, ()), tested=name in tested)
        return found

    def read(self, path: Path, *, expects: bool = True) -> Found | None:
        """One test file; None if it is none of a project."""
        root = root_of(path.parent)
        if root is None:
            return None
        loaded = self.loaded(root)
        file = file_of(loaded, self.options.here, path, expects=expects)
        return None if file is None else Found(loaded, file)

    def loaded(
        self, root: Path, env: Mapping[str, object] | None = None, secrets: Mapping[str, str] | None = None
    ) -> Loaded:
        """A project with values for a test."""
        return self._runner(root, env or {}, secrets or {}).loaded

    def pipe(self, root: Path, name: str) -> PipeConfig | None:
        """A pipe of a project as tests run it; None if it cannot be used."""
        return self._runner(root, {}, {}).pipes.get(name)

    async def run(self, found: Found, test: Test) -> Verdict:
        """The verdict on one test."""
        if test.skip is not None:
            return Verdict(test, "skipped", [test.skip])
        began = time.perf_counter()
        folder = found.file.path.parent
        came = await self.came(found.loaded.root, test, folder)
        if test.file is None:
            verdict = against_case(test, came, _texts(folder, test.expect), self.full)
        else:
            verdict = self._against(test, came, folder / test.file)
        verdict.seconds = time.perf_counter() - began
        return verdict

    async def came(self, root: Path, test: Test, folder: Path) -> Came:
        """What comes of a test in a project; `folder` is the one that its files are named from."""
        return await self._runner(root, test.env, test.secrets).run(test, folder)

    def _against(self, test: Test, came: Came, path: Path) -> Verdict:
        texts = test.endpoint == "eml" or test.endpoint in WRITTEN
        if not path.is_file():
            verdict = against_file(test, came, "" if texts else [], self.full)
            if verdict.state != "error":
                verdict.state, verdict.lines = "failed", [f"E703 what is expected, `{test.file}`, is not there"]
            return verdict
        if texts:
            return against_file(
                test, came, path.read_text("utf-8", "backslashreplace").replace("\r\n", "\n"), self.full
            )
        document = read_document(path, test.file or "", _LIMITS)
        wrong = next(iter(document.problems), None)
        if wrong is not None:
            line, column = Lines(document.text).place(wrong.span.start)
            return Verdict(test, "error", [f"{test.file}:{line}:{column}: {wrong.code} {wrong.told}"])
        if not isinstance(document.root, Array):
            return Verdict(test, "error", [f"{test.file}: what is expected is a list"])
        return against_file(test, came, plain(document.root), self.full)

    def _runner(self, root: Path, env: Mapping[str, object], secrets: Mapping[str, str]) -> Runner:
        key = root, json.dumps([env, secrets], sort_keys=True)
        if key not in self._runners:
            options = replace(self.options, invented=Invented(env, secrets))
            self._runners[key] = Runner(load(root, options), self._states, self.reached)
        return self._runners[key]


def _texts(folder: Path, expect: object) -> dict[str, str]:
    """The texts of the files that matchers name."""
    names = {str(argument) for _, name, argument in matchers_in(expect) if name == "$file"}
    return {name: (folder / name).read_text("utf-8") for name in names}


def written(content: Any, *, escaped: bool = False) -> str:
    """A file of what is expected: what stands in it is in order, so that a difference is one.

    Where it is `escaped` JSON has no `<`, `>` and `&`, as tools write it that put it into pages of HTML.
    """
    if isinstance(content, str):
        return content.rstrip("\n") + "\n"
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    return text.translate(_ESCAPES) if escaped else text
