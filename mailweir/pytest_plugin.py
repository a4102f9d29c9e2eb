"""The plugin for pytest: it collects the same files as `mailweir test`, with the same engine.

Outside a project it does nothing, and nothing of it is imported until there is a test file of one.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from mailweir.catcher import Catcher
    from mailweir.testing.came import Verdict
    from mailweir.testing.coverage import Coverage
    from mailweir.testing.handy import Result
    from mailweir.testing.plan import Test
    from mailweir.testing.suite import Found, Suite

_ENDING: Final = ".test.json"
_REACHED: Final = "mailweir-reached"
_WRITTEN: Final = "mailweir-written"
# For a server in a thread to begin, on a machine under load.
_SECONDS: Final = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options and settings, under the name of the project."""
    group = parser.getgroup("mailweir", "tests of Mailweir projects (*.test.json)")
    group.addoption("--mailweir-update", action="store_true", help="Write the files of what is expected that differ.")
    group.addoption("--mailweir-root", metavar="DIR", help="Collect tests of projects in DIR only.")
    group.addoption("--mailweir-coverage", action="store_true", help="Say what of the pipes no test reaches.")
    group.addoption(
        "--mailweir-fail-under", type=float, metavar="N", help="Fail if the tests reach less than N % of the pipes."
    )
    group.addoption("--mailweir-full", action="store_true", help="Show every difference whole.")
    parser.addini("mailweir", "Whether *.test.json of Mailweir projects are tests.", type="bool", default=True)
    parser.addini("mailweir_root", "Collect tests of projects in this folder only.")
    parser.addini("mailweir_profile", "Which <NAME>-env.json gives values; by itself test.")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is written where nobody looks."""
    if config.getoption("--mailweir-update"):
        from mailweir.in_ci import in_ci
        from mailweir.testing.update import REFUSED

        if in_ci(os.environ):
            raise pytest.UsageError(f"--mailweir-update: {REFUSED}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the tests kept."""
    engine = config.stash.get(_ENGINE, None)
    if engine is not None:
        engine.close()


class Engine:
    """What all tests of a session share."""

    def __init__(self, config: pytest.Config) -> None:
        """Nothing is loaded yet."""
        from mailweir.testing.reached import Reached
        from mailweir.testing.suite import Suite
        from pipeline.config.load import Options

        profile = config.getini("mailweir_profile") or None
        full = bool(config.getoption("--mailweir-full"))
        measures = _measures(config)
        self.suite: Suite = Suite(Options(profile=profile, here=config.rootpath), full, Reached() if measures else None)
        self.tested: set[tuple[str, str]] = set()
        self.runner = asyncio.Runner()
        self.coverage: Coverage | None = None
        self.short = ""
        self.update = bool(config.getoption("--mailweir-update"))

    def close(self) -> None:
        """Remove what the tests kept."""
        self.suite.close()
        self.runner.close()


def _measures(config: pytest.Config) -> bool:
    return bool(config.getoption("--mailweir-coverage")) or config.getoption("--mailweir-fail-under") is not None


_ENGINE: Final = pytest.StashKey[Engine]()


def engine_of(config: pytest.Config) -> Engine:
    """That of the session, made when it is needed."""
    engine = config.stash.get(_ENGINE, None)
    if engine is None:
        engine = config.stash[_ENGINE] = Engine(config)
    return engine


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A test file of a project; others of the same ending are left alone."""
    config = parent.config
    if not file_path.name.endswith(_ENDING) or not config.getini("mailweir"):
        return None
    only_below = _root(config)
    if only_below is not None and not file_path.is_relative_to(only_below):
        return None
    engine = engine_of(config)
    found = engine.suite.read(file_path, expects=not engine.update)
    if found is None:
        return None
    engine.tested |= {(str(found.loaded.root), test.pipe) for test in found.file.planned.tests}
    file: JsonFile = JsonFile.from_parent(parent, path=file_path)
    file.found = found
    return file


def _root(config: pytest.Config) -> Path | None:
    given = config.getoption("--mailweir-root")
    if given:
        return Path(config.invocation_params.dir, given).resolve()
    setting = config.getini("mailweir_root")
    return Path(config.rootpath, setting).resolve() if setting else None


class JsonFile(pytest.File):
    """A test file. One with faults is no file without tests: it is told."""

    found: Found

    def collect(self) -> Iterable[JsonTest]:
        """Its tests."""
        found = self.found
        if found.faults:
            from pipeline.config.show import render

            raise self.CollectError(render(found.faults, {found.name: found.file.document.text}))
        for test in found.file.planned.tests:
            item: JsonTest = JsonTest.from_parent(self, name=test.name)
            item.test = test
            for mark in test.marks:
                item.add_marker(mark)
            yield item


class NotAsExpectedError(Exception):
    """A test did not pass."""

    def __init__(self, verdict: Verdict) -> None:
        """Keep why."""
        super().__init__("\n".join(verdict.lines))
        self.verdict = verdict


class JsonTest(pytest.Item):
    """One test of a file."""

    test: Test

    def runtest(self) -> None:
        """Run it; the file of what is expected is written if that is wanted."""
        assert isinstance(self.parent, JsonFile)  # noqa: S101 - it is made there
        found, test, engine = self.parent.found, self.test, engine_of(self.config)
        verdict = engine.runner.run(engine.suite.run(found, test))
        if verdict.state == "skipped":
            pytest.skip(verdict.lines[0])
        if engine.update and test.file is not None and verdict.state == "failed" and verdict.written is not None:
            from mailweir.testing.update import write_expected

            path = found.file.path.parent / test.file
            more, less = write_expected(path, verdict.written)
            name = path.relative_to(self.config.rootpath) if path.is_relative_to(self.config.rootpath) else path
            self.user_properties.append((_WRITTEN, f"{name}  +{more} -{less}"))
        elif verdict.state != "passed":
            raise NotAsExpectedError(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What differs, and no traceback."""
        if not isinstance(excinfo.value, NotAsExpectedError):
            return super().repr_failure(excinfo, style)
        from mailweir.testing.came import file_beside
        from mailweir.testing.renewed import lines as to_paste

        verdict = excinfo.value.verdict
        assert isinstance(self.parent, JsonFile)  # noqa: S101 - as above
        name = self.parent.found.name
        lines = [*verdict.lines, ""]
        if self.test.file is not None and verdict.state == "failed":
            lines += [f"  accept it: mailweir test --update {shlex.quote(file_beside(self.test))}", ""]
        if engine_of(self.config).update and verdict.paste is not None:
            lines += [*to_paste(verdict.paste), ""]
        return "\n".join([*lines, f"{name}:{self.parent.found.line(self.test)}"])

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file, the line from 0, and the name."""
        assert isinstance(self.parent, JsonFile)  # noqa: S101 - as above
        return self.path, self.parent.found.line(self.test) - 1, f"{self.test.pipe}: {self.name}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that is to be run alone leaves the other files of tests out."""
    alone = [item for item in items if isinstance(item, JsonTest) and item.test.only]
    if not alone:
        return
    from mailweir.in_ci import in_ci

    if in_ci(os.environ):
        raise pytest.UsageError("`only` leaves out all other tests, and `CI` is set: take it out")
    left_out = [item for item in items if isinstance(item, JsonTest) and not item.test.only]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands on what its tests reached; whoever has all of it says whether that is enough."""
    config = session.config
    if not _measures(config):
        return
    output = getattr(config, "workeroutput", None)
    engine = engine_of(config)
    if output is not None:
        reached = engine.suite.reached
        output[_REACHED] = [sorted(engine.tested), [] if reached is None else reached.document()]
        return
    from mailweir.testing.coverage import too_little

    engine.coverage = engine.suite.coverage(engine.tested)
    engine.short = too_little(engine.coverage, config.getoption("--mailweir-fail-under")) if engine.tested else ""
    if engine.short and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what the tests of a worker reached."""
    found = getattr(node, "workeroutput", {}).get(_REACHED)
    if found is not None:
        engine = engine_of(node.config)
        engine.tested |= {(root, pipe) for root, pipe in found[0]}
        if engine.suite.reached is not None:
            engine.suite.reached.add(found[1])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What the tests reach, and the files that were written."""
    engine = config.stash.get(_ENGINE, None)
    if engine is not None and engine.coverage is not None:
        _tell_coverage(terminalreporter, engine, config)
    reports = [one for some in terminalreporter.stats.values() for one in some if hasattr(one, "user_properties")]
    lines = {
        value
        for one in reports
        if getattr(one, "when", "") == "call"
        for name, value in one.user_properties
        if name == _WRITTEN
    }
    if lines:
        terminalreporter.section("expected files written")
        for line in sorted(lines):
            terminalreporter.write_line(line)


def _tell_coverage(terminalreporter: Any, engine: Engine, config: pytest.Config) -> None:
    from mailweir.testing.coverage import lines

    if config.getoption("--mailweir-coverage") and engine.coverage is not None and engine.tested:
        terminalreporter.section("coverage of Mailweir pipes")
        for line in lines(engine.coverage, full=engine.suite.full):
            terminalreporter.write_line(line)
    if engine.short:
        terminalreporter.write_line(f"error: {engine.short}", red=True)


@pytest.fixture
def mailweir_project(request: pytest.FixtureRequest) -> Path:
    """The folder of the project around this test, or of the one that is named for the session."""
    from pipeline.config.files import root_of

    root = root_of(_root(request.config) or request.path.parent)
    if root is None:
        raise pytest.UsageError(f"no Mailweir project around {request.path.parent}: name it with --mailweir-root")
    return root


@pytest.fixture
def mailweir_run(mailweir_project: Path, request: pytest.FixtureRequest) -> Callable[..., Result]:
    """Run entities through a pipe: `mailweir_run("welcome-mail", [{"_id": "c1"}], stage="mail").mails[0].text`."""
    from mailweir.testing.handy import run_pipe

    engine = engine_of(request.config)

    def run(pipe: str, given: Sequence[Any] | dict[str, Any] | None = None, **more: Any) -> Result:
        return run_pipe(engine.suite, engine.runner, mailweir_project, pipe, given, **more)

    return run


@pytest.fixture
def mail_catcher() -> Iterator[Catcher]:
    """A mail server on a free port of this machine, which keeps what it gets in `mails`."""
    from threading import Event, Thread

    from mailweir.catcher import Catcher

    there, over = Event(), Event()
    made: list[Catcher] = []

    async def serve() -> None:
        async with Catcher() as catcher:
            made.append(catcher)
            there.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    if not there.wait(_SECONDS):
        raise RuntimeError("the mail catcher did not start")
    try:
        yield made[0]
    finally:
        over.set()
        thread.join(_SECONDS)
