"""Files as sinks: replaced as a whole, or grown by what is new."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.cli.checking import check_paths
from pipeline.clock import MachineClock
from pipeline.config.load import Options
from pipeline.entity import Datetime, from_json
from pipeline.receipt import Outcome, Receipt, Tally
from pipeline.run import Mark, Portion, StoppedError
from pipeline.state.facts import Batch
from pipeline.state.sqlite.store import SqliteState
from sinks.csv import Rows
from sinks.file import MANY, GrownFile, ReplacedFile
from sinks.json import Lines, Listed, text_of
from sinks.mail import outbound
from sinks.output_file import OutputFile
from sinks.print import Print

TOP = Path(__file__).parents[2]
Entities = list[dict[str, Any]]


def mark(which: Mark) -> Portion:
    """A portion without entities."""
    return Portion((), None, 0, 0, which)


def whole(*entities: dict[str, Any], end: Mark = Mark.END) -> list[Portion]:
    """A reading of all that a source has."""
    return [mark(Mark.START), *(Portion([entity], None, 1, 0) for entity in entities), mark(end)]


def written(sink: Any, portions: Any) -> tuple[dict[str, int], list[Receipt]]:
    """What became of the entities: how many, and those with words."""
    counts: dict[str, int] = {}
    receipts: list[Receipt] = []

    async def write() -> None:
        async for group in sink.write(portions):
            if isinstance(group, Tally):
                for outcome, count in group.counts.items():
                    counts[outcome.value] = counts.get(outcome.value, 0) + count
            else:
                receipts.extend(group)

    asyncio.run(write())
    return {word: count for word, count in counts.items() if count}, receipts


def rows(*columns: str, **properties: Any) -> Rows:
    """A form of CSV."""
    given: dict[str, Any] = {"delimiter": ",", "end": "\n", "quoted": False, "header": True, "marked": False}
    return Rows(columns, **{**given, **properties})


def test_a_file_is_replaced_by_a_whole_reading(tmp_path: Path) -> None:
    """It has what the source has now; deleted and filtered entities are left out as that is said."""
    entities: Entities = [
        {"_id": "1", "name": "Ada", "n": 1},
        {"_id": "2", "name": "Bo", "_deleted": True},
        {"_id": "3", "_filtered": True},
    ]
    (tmp_path / "out.csv").write_text("old")
    sink = ReplacedFile(OutputFile(tmp_path, "out.csv"), rows("_id", "name", "n"), skip_deleted=True)
    assert written(sink, whole(*entities)) == ({"written": 1, "skipped": 1}, [])
    assert (tmp_path / "out.csv").read_text() == "_id,name,n\n1,Ada,1\n"
    lines = ReplacedFile(OutputFile(tmp_path, "new/out.jsonl"), Lines(), skip_deleted=False)
    assert written(lines, whole(*entities)) == ({"written": 2}, [])
    assert (tmp_path / "new/out.jsonl").read_text().splitlines() == [
        '{"_id":"1","name":"Ada","n":1}',
        '{"_id":"2","name":"Bo","_deleted":true}',
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "out.csv"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_is_json(tmp_path: Path, count: int) -> None:
    """Of none, one and several; packed, too."""
    entities: Entities = [{"_id": str(at)} for at in range(count)]
    written(ReplacedFile(OutputFile(tmp_path, "out.json.gz"), Listed(), skip_deleted=False), whole(*entities))
    assert json.loads(gzip.decompress((tmp_path / "out.json.gz").read_bytes())) == entities


def test_what_a_source_has_left_out_is_no_part(tmp_path: Path) -> None:
    """Parts that the source was told to skip do not keep the rest from being written."""
    sink = ReplacedFile(OutputFile(tmp_path, "out"), Lines(), skip_deleted=False)
    assert written(sink, whole({"_id": "1"}, end=Mark.ELSEWHERE)) == ({"written": 1}, [])
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("portions", "counts"),
    [
        ([Portion([{"_id": "1"}], None, 1, 0)], {"skipped": 1}),
        ([mark(Mark.ELSEWHERE), Portion([{"_id": "1"}], None, 1, 0), mark(Mark.END)], {"skipped": 1}),
        (whole({"_id": "1"})[:-1], {}),
    ],
)
def test_a_part_of_a_reading_replaces_nothing(tmp_path: Path, portions: list[Portion], counts: dict[str, int]) -> None:
    """Neither what was asked for in part, nor what broke off; no draft is left."""
    (tmp_path / "out").write_text("old")
    sink = ReplacedFile(OutputFile(tmp_path, "out"), Lines(), skip_deleted=False)
    assert written(sink, portions) == (counts, [])
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out", "old")]


def test_a_reading_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Whatever a transform or the disk raises."""

    def failing() -> Iterator[Portion]:
        yield from whole({"_id": "1"})[:-1]
        raise OSError(28, "No space left on device")

    (tmp_path / "out").write_text("old")
    sink = ReplacedFile(OutputFile(tmp_path, "out"), Lines(), skip_deleted=False)
    with pytest.raises(StoppedError, match="cannot write out: no space left on device"):
        written(sink, failing())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out", "old")]


def test_an_entity_that_cannot_be_written_is_rejected(tmp_path: Path) -> None:
    """Its neighbours are written."""
    odd: Entities = [{"_id": "1", "a": "x"}, {"_id": "2", "a": "\ud800"}, {"_id": "3", "a": "y"}]
    sink = ReplacedFile(OutputFile(tmp_path, "out"), rows("a"), skip_deleted=False)
    counts, (refused,) = written(sink, whole(*odd))
    assert (counts, refused.entity_id, refused.outcome) == ({"written": 2}, "2", Outcome.REJECTED)
    assert "half a character" in refused.detail
    assert (tmp_path / "out").read_text() == "a\nx\ny\n"
    lines = ReplacedFile(OutputFile(tmp_path, "out"), Lines(), skip_deleted=False)
    counts, (refused,) = written(lines, whole({"_id": "1", "a": object()}, {"_id": "2"}))
    assert (counts, refused.entity_id) == ({"written": 1}, "1")


def grown(folder: Path, portions: Iterable[Portion] = (), path: str = "out") -> dict[str, int]:
    """Append to a file of a project, with its state."""

    async def write() -> dict[str, int]:
        counts: dict[str, int] = {}
        async with SqliteState.open(folder / ".mailweir", MachineClock(), outbound.stranded) as state:
            running: Any = type("Running", (), {"state": state, "stopping": asyncio.Event()})()
            sink = GrownFile("p", OutputFile(folder, path), rows("_id"), running, skip_deleted=True)
            async for group in sink.write(portions):
                assert isinstance(group, Tally)
                counts |= {outcome.value: count for outcome, count in group.counts.items() if count}
            counts["at"] = int(await state.offset("p") or 0)
        return counts

    return asyncio.run(write())


def test_a_file_grows_with_the_position(tmp_path: Path) -> None:
    """The header comes once; the position is stored with what came up to it."""
    assert grown(tmp_path, [Portion([{"_id": "1"}], "1", 1, 0), Portion([{"_id": "2"}], "2", 1, 0)]) == {
        "written": 2,
        "at": 2,
    }
    assert grown(tmp_path, [Portion([{"_id": "3"}], "3", 1, 0)]) == {"written": 1, "at": 3}
    assert grown(tmp_path) == {"at": 3}
    assert (tmp_path / "out").read_text() == "_id\n1\n2\n3\n"


def test_what_a_killed_run_has_appended_is_taken_back(tmp_path: Path) -> None:
    """Only that, and only if the state says that it was in the middle of it."""
    grown(tmp_path, [Portion([{"_id": "1"}], "1", 1, 0)])
    size = (tmp_path / "out").stat().st_size

    async def note() -> None:
        async with SqliteState.open(tmp_path / ".mailweir", MachineClock(), outbound.stranded) as state:
            await state.admit(Batch(notes={"file:p": json.dumps(["out", size])}))

    asyncio.run(note())
    with (tmp_path / "out").open("a") as more:
        more.write("2\n3\nhal")
    grown(tmp_path, [Portion([{"_id": "2"}], "2", 1, 0)])
    assert (tmp_path / "out").read_text() == "_id\n1\n2\n"
    with (tmp_path / "out").open("a") as more:
        more.write("of others\n")
    grown(tmp_path, [Portion([{"_id": "3"}], "3", 1, 0)])
    assert (tmp_path / "out").read_text() == "_id\n1\n2\nof others\n3\n"


def test_what_is_behind_the_last_position_is_taken_back(tmp_path: Path) -> None:
    """Many entities may come before a source has its next position: killed or stopped there, all of them come again."""
    many = [{"_id": str(at)} for at in range(MANY + 1)]
    first = Portion([{"_id": "first"}], "1", 1, 0)

    def killed() -> Iterator[Portion]:
        yield first
        yield Portion(many, None, len(many), 0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grown(tmp_path, killed())
    assert len((tmp_path / "out").read_text().splitlines()) == MANY + 3
    assert grown(tmp_path) == {"at": 0}
    assert (tmp_path / "out").read_text() == ""
    # A run that ends there without being killed leaves the same to the next one.
    grown(tmp_path, [first, Portion([{"_id": "a"}], None, 1, 0)])
    assert (tmp_path / "out").read_text() == "_id\nfirst\na\n"
    rest = [Portion([{"_id": "a"}], None, 1, 0), Portion([{"_id": "b"}], "2", 1, 0)]
    assert grown(tmp_path, [first, *rest])["at"] == 2
    assert (tmp_path / "out").read_text() == "_id\nfirst\na\nb\n"


def test_what_has_no_positions_stays(tmp_path: Path) -> None:
    """Each run puts all that it reads behind what is there."""
    for _ in range(2):
        grown(tmp_path, [Portion([{"_id": "a"}], None, 1, 0)])
    assert (tmp_path / "out").read_text() == "_id\na\na\n"


def test_only_regular_files_of_the_project_are_written(tmp_path: Path) -> None:
    """Nothing outside of the folder, by no way; no folder and no pipe."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "link").symlink_to("../out")
    (project / "folder").mkdir()
    os.mkfifo(project / "fifo")
    for path in ("../out", str(tmp_path / "out"), "link"):
        with pytest.raises(StoppedError, match="it lies outside of the project"):
            written(ReplacedFile(OutputFile(project, path), Lines(), skip_deleted=False), whole())
    with pytest.raises(StoppedError, match="cannot write folder: is a directory"):
        written(ReplacedFile(OutputFile(project, "folder"), Lines(), skip_deleted=False), whole())
    for path in ("fifo", "folder", "link"):
        with pytest.raises(StoppedError, match="cannot write "):
            OutputFile(project, path).append(b"x")
    assert sorted(path.name for path in project.iterdir()) == ["fifo", "folder", "link"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project"]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(
    st.lists(st.tuples(texts, texts)), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]), st.booleans()
)
def test_rows_are_read_back_as_they_were(pairs: list[tuple[str, str]], delimiter: str, end: str, quoted: bool) -> None:
    """By the standard library, whatever they hold."""
    form = rows("a", "b", delimiter=delimiter, end=end, quoted=quoted, header=False)
    data = b"".join(form.text({"a": a, "b": b}) for a, b in pairs)
    assert [tuple(row) for row in csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter)] == pairs


def test_values_are_written_as_text() -> None:
    """Null is nothing, lists and objects are JSON, times are ISO 8601."""
    form = rows("a", "b", "c", "d", "e", "f", "g", "none", marked=True)
    moment = Datetime.of(datetime(2026, 7, 1, tzinfo=UTC))
    entity = {"a": True, "b": 1.5, "c": Decimal("1.50"), "d": moment, "e": b"ab", "f": [1, {"x": None}], "g": None}
    assert form.text(entity).decode() == 'true,1.5,1.50,2026-07-01T00:00:00Z,YWI=,"[1,{""x"":null}]",,\n'
    assert form.head() == "\ufeffa,b,c,d,e,f,g,none\n".encode()
    assert from_json(text_of({"_id": "1", "_ts": 7, **entity})) == {"_id": "1", **entity}


def test_entities_are_printed() -> None:
    """A line each, in whole portions, and without secrets."""
    stream = io.StringIO()
    sink = Print(stream, lambda text: text.replace("s3cr3t", "********"))
    assert written(sink, [Portion([{"_id": "1", "_ts": 1, "a": "s3cr3t"}], None, 1, 0)]) == ({"written": 1}, [])
    assert stream.getvalue() == '{"_id":"1","a":"********"}\n'


def test_who_does_not_read_what_is_printed_ends_the_run() -> None:
    """It is told and is no crash."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    with pytest.raises(StoppedError, match="cannot print: broken pipe"):
        written(Print(stream, str), [Portion([{"_id": "1"}], None, 1, 0)])
    with suppress(BrokenPipeError):
        stream.close()


def project(folder: Path, sink: dict[str, Any], entities: int = 2) -> Path:
    """A project with one pipe from JSON Lines."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "json", "path": "in.jsonl"}, "sink": sink}
    (folder / "p.conf.json").write_text(json.dumps(pipe))
    (folder / "in.jsonl").write_text("".join(f'{{"_id": "{at}", "n": {at}}}\n' for at in range(entities)))
    return folder


@pytest.mark.parametrize(
    ("sink", "code", "words"),
    [
        ({"type": "csv", "path": "../a.csv", "columns": ["a"]}, "E203", "leads out of the project"),
        ({"type": "csv", "path": "a.csv", "columns": []}, "E203", "columns"),
        ({"type": "csv", "path": "a.csv", "columns": ["a"], "delimiter": '"'}, "E203", "`delimiter` is one character"),
        (
            {"type": "json", "path": "a", "format": "list", "mode": "append"},
            "E209",
            "nothing can be appended to a list",
        ),
    ],
)
def test_what_cannot_be_is_told_by_check(tmp_path: Path, sink: dict[str, Any], code: str, words: str) -> None:
    """Before anything is run, at the property."""
    problems = check_paths([project(tmp_path, sink)], Options(environ={}, here=tmp_path)).problems
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message


def process(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`mailweir` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "mailweir", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
    )


def run(folder: Path, *arguments: str) -> str:
    """What a run says."""
    with process(folder, "run", *arguments) as started:
        out, err = started.communicate(timeout=300)
    assert started.returncode == 0, err
    return out


def test_a_run_writes_files(tmp_path: Path) -> None:
    """A file that is replaced has all, every time; one that grows has each once; a part replaces nothing."""
    assert "2 read   2 written" in run(project(tmp_path, {"type": "csv", "path": "out.csv", "columns": ["_id", "n"]}))
    assert (tmp_path / "out.csv").read_bytes() == b"_id,n\r\n0,0\r\n1,1\r\n"
    assert "2 read   2 written" in run(tmp_path)
    assert "1 read   1 skipped" in run(tmp_path, "--limit", "1")
    assert (tmp_path / "out.csv").read_bytes() == b"_id,n\r\n0,0\r\n1,1\r\n"
    project(tmp_path, {"type": "json", "path": "out.jsonl", "mode": "append"})
    assert "2 read   2 written" in run(tmp_path)
    assert "nothing new" in run(tmp_path)
    project(tmp_path, {"type": "json", "path": "out.jsonl", "mode": "append"}, 3)
    assert "1 read   1 written" in run(tmp_path)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
    # The position that is left from before is not that of a file which is replaced.
    project(tmp_path, {"type": "json", "path": "list.json", "format": "list"}, 3)
    assert "3 read   3 written" in run(tmp_path)
    assert len(json.loads((tmp_path / "list.json").read_text())) == 3


def test_entities_are_printed_before_the_summary(tmp_path: Path) -> None:
    """For pipes that people look at; a secret of the project that an entity repeats is masked."""
    secret = {"_id": "o", "type": "system:smtp", "smtp_username": "me", "smtp_password": "$SECRET(pw)", "use_tls": True}
    (tmp_path / "o.conf.json").write_text(json.dumps(secret))
    (tmp_path / ".secrets.env").write_text("pw=correct-horse")
    (tmp_path / ".secrets.env").chmod(0o600)
    project(tmp_path, {"type": "print"}, 0)
    (tmp_path / "in.jsonl").write_text('{"_id": "0", "echo": "correct-horse"}\n')
    assert run(tmp_path).startswith('{"_id":"0","echo":"********"}\n')
    out = run(project(tmp_path, {"type": "print"}))
    assert out.startswith('{"_id":"0","n":0}\n{"_id":"1","n":1}\n')
    assert "2 read   2 written" in out


def test_a_run_that_is_killed_appends_nothing_twice(tmp_path: Path) -> None:
    """Killed as soon as the file grows, and run again: each entity is there once, in its order."""
    count = 60_000
    project(tmp_path, {"type": "json", "path": "out.jsonl", "mode": "append"}, count)
    out = tmp_path / "out.jsonl"
    with process(tmp_path, "run") as started:
        while started.poll() is None:
            if out.exists() and out.stat().st_size:
                started.send_signal(signal.SIGKILL)
                break
        started.communicate(timeout=300)
    run(tmp_path)
    assert [json.loads(line)["n"] for line in out.read_text().splitlines()] == list(range(count))
