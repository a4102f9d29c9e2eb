"""A folder as a source."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.entity import SECOND, Datetime, Entity
from pipeline.errors import SourceError
from pipeline.run import StoppedError
from sources import directory_read
from sources.csv import CsvConfig
from sources.directory import DirectoryConfig
from sources.directory_read import Directory
from sources.folder_position import Position, fingerprint

NOW = 1_700_000_000 * SECOND


class Context:
    """What a source is given."""

    pipe = "p"

    def __init__(self, root: Path, *, runs: bool = True) -> None:
        """A project's folder."""
        self.root = str(root)
        self.runs = runs
        self.time = NOW

    def now(self) -> int:
        """A clock that stands still."""
        return self.time


CSV = CsvConfig.model_validate({"type": "csv", "path": "x", "primary_key": "id"})


def source(root: Path, *, runs: bool = True, **properties: Any) -> Directory:
    """The source of the folder `in`."""
    context: Any = Context(root, runs=runs)
    return DirectoryConfig.model_validate({"type": "directory", "path": "in", **properties}).build(context)


def put(root: Path, name: str, text: str, ago: float = 60) -> Path:
    """A file that was written so many seconds ago."""
    path = root / "in" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(NOW, NOW - int(ago * SECOND)))
    return path


def read(found: Directory, since: str | None = None) -> tuple[list[str], str | None]:
    """The names of what it gives, and the position that is reached."""
    names = []
    for entities, reached in found.read(since):
        names += [one["_id"] for one in entities]
        since = reached
    return names, since


def test_each_file_is_read_once_in_the_order_of_its_time(tmp_path: Path) -> None:
    """One that was written anew is another one; what is unfinished, hidden, a link or a folder is none."""
    put(tmp_path, "b.txt", "two", 20)
    path = put(tmp_path, "a.txt", "one", 10)
    put(tmp_path, "c.txt", "three", 1)
    for name in (".hidden", "d.part", "e~", "f.tmp"):
        put(tmp_path, name, "no")
    (tmp_path / "in" / "link").symlink_to(path)
    (tmp_path / "in" / "folder").mkdir()
    folder = source(tmp_path)
    names, since = read(folder)
    assert (names, folder.afresh) == (["b.txt", "a.txt"], True)
    assert read(folder, since) == ([], since)
    assert not folder.afresh
    put(tmp_path, "a.txt", "new", 5)
    put(tmp_path, "c.txt", "three", 3)
    names, since = read(folder, since)
    assert names == ["a.txt", "c.txt"]
    path.unlink()
    put(tmp_path, "z.csv", "", 3)
    assert read(source(tmp_path, pattern="*.txt"), since)[0] == []


def test_a_file_is_an_entity(tmp_path: Path) -> None:
    """Its name, size, time and content; a file from tomorrow is read too."""
    put(tmp_path, "a.txt", "h\u00e6", -86_400)
    expected: Entity = {
        "_id": "a.txt",
        "path": "in/a.txt",
        "size": 3,
        "modified": Datetime(NOW + 86_400 * SECOND),
        "content": "h\u00e6".encode(),
    }
    (((one,), _),) = source(tmp_path).read(None)
    assert one == expected
    (((one,), _),) = source(tmp_path, content="text").read(None)
    assert one["content"] == "h\u00e6"
    (((one,), _),) = source(tmp_path, content="none").read(None)
    assert "content" not in one


def test_files_are_put_away_when_all_of_them_is_stored(tmp_path: Path) -> None:
    """By the next run, never by one that only looks; nothing is lost to another file of the name."""
    put(tmp_path, "a.txt", "one")
    _, since = read(source(tmp_path, done="gone"))
    assert (tmp_path / "in" / "a.txt").exists()
    read(source(tmp_path, done="gone", runs=False), since)
    assert (tmp_path / "in" / "a.txt").exists()
    assert read(source(tmp_path, done="gone"), since) == ([], since)
    assert (tmp_path / "gone" / "a.txt").read_text() == "one"
    put(tmp_path, "a.txt", "two", 30)
    names, since = read(source(tmp_path, done="gone"), since)
    assert names == ["a.txt"]
    read(source(tmp_path, done="gone"), since)
    assert (tmp_path / "gone" / "a.txt").read_text() == "one"
    assert (tmp_path / "gone" / "a.txt.1").read_text() == "two"
    assert not list((tmp_path / "in").iterdir())


def test_a_file_that_cannot_be_put_away_is_not_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, and tried again by the next run."""
    put(tmp_path, "a.txt", "one")
    _, since = read(source(tmp_path, done="gone"))
    (tmp_path / "gone").write_text("a file")
    assert read(source(tmp_path, done="gone"), since) == ([], since)
    assert "in/a.txt cannot be put into gone" in caplog.text
    (tmp_path / "gone").unlink()
    read(source(tmp_path, done="gone"), since)
    assert (tmp_path / "gone" / "a.txt").exists()


def rows(*ids: object) -> str:
    """A CSV file."""
    return "id\n" + "".join(f"{one}\n" for one in ids)


def test_a_source_reads_each_file(tmp_path: Path) -> None:
    """And says of which one an entity is, if somebody wants to know."""
    put(tmp_path, "a.csv", rows(1, 2), 20)
    put(tmp_path, "b.csv", rows(3), 10)
    found = source(tmp_path, source=CSV, file_property="file")
    assert [one for batch, _ in found.read(None) for one in batch] == [
        {"_id": "1", "id": "1", "file": "a.csv"},
        {"_id": "2", "id": "2", "file": "a.csv"},
        {"_id": "3", "id": "3", "file": "b.csv"},
    ]
    assert found.cut


def test_a_reading_that_stopped_goes_on_in_the_middle_of_a_file(tmp_path: Path) -> None:
    """At each position what comes behind it, and nothing else."""
    many = 1000
    put(tmp_path, "a.csv", rows(*range(many)), 20)
    put(tmp_path, "b.csv", rows("x"), 10)
    portions = list(source(tmp_path, source=CSV).read(None))
    assert len(portions) > 3
    read_so_far = 0
    for entities, since in portions:
        read_so_far += len(entities)
        rest = read(source(tmp_path, source=CSV), since)[0]
        assert rest == [*map(str, range(many)), "x"][read_so_far:]


def test_a_faulty_file_stops_the_run_or_is_put_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What stands before the fault is delivered once."""
    put(tmp_path, "a.csv", "id,n\n1,x\n2\n", 20)
    put(tmp_path, "b.csv", "id,n\n3,x\n", 10)
    stops = source(tmp_path, source=CSV)
    reading = stops.read(None)
    entities, since = next(reading)
    assert [one["_id"] for one in entities] == ["1"]
    with pytest.raises(SourceError, match="in/a.csv:3:1: E219"):
        next(reading)
    with pytest.raises(SourceError, match="in/a.csv:3:1: E219"):
        read(source(tmp_path, source=CSV), since)
    goes_on = source(tmp_path, source=CSV, failed="bad", done="good")
    names, since = read(goes_on, since)
    assert names == ["3"]
    assert goes_on.skipped == 1
    assert "in/a.csv:3:1: E219" in caplog.text
    read(source(tmp_path, source=CSV, failed="bad", done="good"), since)
    assert (tmp_path / "bad" / "a.csv").exists()
    assert (tmp_path / "good" / "b.csv").exists()


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """It was not finished: that is told, and the next run begins with its start."""
    put(tmp_path, "a.csv", rows(*range(1000)))
    reading = source(tmp_path, source=CSV).read(None)
    _, since = next(reading)
    put(tmp_path, "a.csv", rows(*range(1001)), 50)
    with pytest.raises(SourceError, match="in/a.csv:1:1: E115 .* it was changed while it was read"):
        list(reading)
    assert len(read(source(tmp_path, source=CSV), since)[0]) == 1001


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As a file that cannot be read."""
    with pytest.raises(SourceError, match="E115"):
        read(source(tmp_path))


def test_what_is_too_large_or_no_text_is_told(tmp_path: Path) -> None:
    """It is a fault of that file."""
    put(tmp_path, "a.txt", "").write_bytes(b"\xff")
    with pytest.raises(SourceError, match="it is no UTF-8"):
        read(source(tmp_path, content="text", settle=0))
    with (tmp_path / "in" / "a.txt").open("wb") as file:
        file.truncate(16_000_001)
    with pytest.raises(SourceError, match="it is larger than 16 MB"):
        read(source(tmp_path, settle=0))


def test_more_files_than_a_position_tells_must_be_put_away(tmp_path: Path) -> None:
    """Else nobody would know which ones were read."""
    files = directory_read.MOST_FILES
    position = Position(done={fingerprint(number): None for number in range(files)})
    again = Position.of(str(position))
    assert again is not None
    assert len(again.done) == files
    (tmp_path / "in").mkdir()
    marks: dict[str, None] = {}
    for number in range(files + 1):
        path = tmp_path / "in" / f"{number:05}"
        path.touch()
        os.utime(path, ns=(NOW, NOW - 60 * SECOND))
        marks[fingerprint(path.name, 0, NOW - 60 * SECOND)] = None
    full = Position(done=dict(list(marks.items())[:files]))
    with pytest.raises(StoppedError, match="10000 files that were read lie in `in`"):
        read(source(tmp_path), str(full))
    assert read(source(tmp_path, done="gone"), str(full))[0] == [f"{files:05}"]


@pytest.mark.parametrize("text", ["", "x", ";;x", "abc;;", ";;AAAAAAAAAAA.", "1.2;;"])
def test_a_position_of_something_else_is_none(text: str) -> None:
    """Then all is read."""
    assert Position.of(text) is None
    assert not source(Path(), done="x").knows(text)
    assert source(Path(), done="x").knows(str(Position()))


@pytest.mark.parametrize(
    ("properties", "at"),
    [
        ({"path": "/etc"}, "/etc"),
        ({"path": "in", "done": "../out"}, "../out"),
        ({"path": "in", "failed": "in"}, '"in"'),
        ({"path": "in", "source": {"type": "dataset", "dataset": "p"}}, '"dataset"'),
    ],
)
def test_what_cannot_be_is_told_at_its_place(tmp_path: Path, properties: dict[str, Any], at: str) -> None:
    """E203, before anything is run."""
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "directory", **properties}}
    text = json.dumps(pipe)
    (tmp_path / "p.conf.json").write_text(text)
    found = check_paths([tmp_path], Options(environ={}, here=tmp_path)).problems
    (problem,) = [one for one in found if one.code == "E203"]
    assert text[problem.span.start :].startswith(at)
