"""`mailweir run` from pipe to pipe, as a process of its own: through datasets to a real server on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from mailweir.catcher import Catcher
from pipeline.state.sqlite.dataset_look import SqliteReads

TOP = Path(__file__).parents[3]
Command = Callable[..., Any]


def people(folder: Path, count: int, **more: Any) -> None:
    """A file with so many people, a line each."""
    lines = [json.dumps({"_id": f"c{at}", "email": f"c{at}@example.com", "n": at, **more}) for at in range(count)]
    (folder / "people.jsonl").write_text("\n".join(lines) + "\n")


def project(folder: Path, *pipes: dict[str, Any], port: int = 9) -> Path:
    """A project with these pipes, and one that mails what is in `shaped`."""
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port}
    parts = [office, *({"type": "pipe", **pipe} for pipe in pipes)]
    (folder / "all.conf.json").write_text(json.dumps(parts))
    return folder


READ = {"_id": "people", "source": {"type": "json", "path": "people.jsonl"}}
SHAPE = {"_id": "shaped", "source": {"type": "dataset", "dataset": "people"}, "transform": {"type": "lower_keys"}}
MAIL = {
    "_id": "welcome",
    "source": {"type": "dataset", "dataset": "shaped"},
    "sink": {
        "type": "mail",
        "system": "office",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi {{ _id }}",
        "body_template": "Hi",
    },
}


def kept(folder: Path, name: str) -> list[dict[str, Any]]:
    """What a dataset has, without times."""
    reads = SqliteReads(folder / ".mailweir")
    found = reads.dataset(name)
    assert found is not None
    entities = reads.page(found.number, 0, found.last, 100_000).entities
    reads.close()
    return [{key: value for key, value in one.items() if key != "_ts"} for one in entities]


def test_new_people_are_mailed_through_two_datasets(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """Whatever the order of the files; only who is new or changed is mailed the next time, and a deleted one is not."""
    project(tmp_path, MAIL, SHAPE, READ, port=catcher.port)
    people(tmp_path, 3)
    done = command(tmp_path, "run")
    assert done.returncode == 0
    lines = [" ".join(line.split()[:-2]) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert lines == ["people 3 read 3 written", "shaped 3 read 3 written", "welcome 3 read 3 sent"]
    assert done.stdout.endswith("\n\n3 sent, 0 discarded. Window 3 of 1,000.\n")
    assert len(catcher.mails) == 3
    people(tmp_path, 3, land="NO")
    text = (tmp_path / "people.jsonl").read_text().replace('"land": "NO"', '"n2": 1', 1)
    (tmp_path / "people.jsonl").write_text("\n".join(text.splitlines()[:2]) + "\n")
    done = command(tmp_path, "run", "--json")
    found = {pipe["id"]: pipe for pipe in json.loads(done.stdout)["pipes"]}
    assert (found["people"]["mail"]["written"], found["people"]["deleted"]) == (2, 1)
    assert found["shaped"]["mail"]["written"] == 3
    assert (found["welcome"]["mail"]["sent"], found["welcome"]["mail"]["skipped"]) == (2, 1)
    assert len(catcher.mails) == 5


def test_pipes_of_entities_alone_end_with_a_sum_of_entities(command: Command, tmp_path: Path) -> None:
    """No word of mail; the next run has nothing to do, and `--since 0` finds everything as it is."""
    project(tmp_path, READ)
    people(tmp_path, 5)
    done = command(tmp_path, "run")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "5 written.")
    assert "nothing new since the last run" in command(tmp_path, "run").stdout
    done = command(tmp_path, "run", "--since", "0")
    assert done.stdout.splitlines()[-1] == "0 written, 5 skipped."


def test_a_part_of_a_source_deletes_nothing(command: Command, tmp_path: Path) -> None:
    """`--limit`, `--id` and `--input` see only some of the entities."""
    project(tmp_path, {**READ, "source": {"type": "json", "path": "people.jsonl", "supports_since": False}})
    people(tmp_path, 5)
    command(tmp_path, "run")
    people(tmp_path, 4)
    for options in (("--limit", "1"), ("--id", "c2"), ("people", "--input", "people.jsonl")):
        assert command(tmp_path, "run", *options).returncode == 0
    assert not any("_deleted" in one for one in kept(tmp_path, "people"))
    command(tmp_path, "run")
    assert [one["_id"] for one in kept(tmp_path, "people") if "_deleted" in one] == ["c4"]


def test_a_circle_runs_until_nothing_changes(command: Command, tmp_path: Path) -> None:
    """Each pipe of it runs again as long as what it reads has changed."""
    one = {"_id": "one", "source": {"type": "dataset", "dataset": "two"}, "allow_cycle": True}
    two = {"_id": "two", "source": {"type": "dataset", "dataset": "one"}}
    project(tmp_path, one, two)
    done = command(tmp_path, "run")
    assert done.returncode == 0
    assert done.stdout.count("nothing new") == 2


def test_a_bad_line_deletes_nobody(command: Command, tmp_path: Path) -> None:
    """Who stands behind it, or in it, may be there."""
    source = {"type": "json", "path": "people.jsonl", "supports_since": False}
    project(tmp_path, {**READ, "source": source})
    people(tmp_path, 5)
    command(tmp_path, "run")
    (tmp_path / "people.jsonl").write_text('{"_id": "c0"}\n{"_id": \n')
    assert command(tmp_path, "run").returncode == 4
    project(tmp_path, {**READ, "source": {**source, "on_error": "skip"}})
    assert command(tmp_path, "run").returncode == 0
    assert [one["_id"] for one in kept(tmp_path, "people") if "_deleted" in one] == []


def test_a_load_that_is_killed_and_run_again_is_as_one_that_was_not(command: Command, tmp_path: Path) -> None:
    """Entities, their order and versions, what was deleted: nothing tells that `kill -9` came in between."""
    folders = [tmp_path / "killed", tmp_path / "undisturbed"]
    for folder in folders:
        folder.mkdir()
        project(folder, READ, SHAPE)
        people(folder, 6000)
        assert command(folder, "run").returncode == 0
        people(folder, 5000, land="NO")
    killed, undisturbed = folders
    call = [sys.executable, "-m", "mailweir", "run", "--since", "0", "--progress", "none"]
    reads = SqliteReads(killed / ".mailweir")
    for wanted in (6000, 8000, 9000):
        run = subprocess.Popen(
            call if wanted == 6000 else call[:-4],
            cwd=killed,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while run.poll() is None and (found := reads.dataset("people")) is not None and found.last <= wanted:
            with suppress(subprocess.TimeoutExpired):
                run.wait(0.002)
        run.send_signal(signal.SIGKILL)
        run.wait()
    reads.close()
    assert command(killed, "run").returncode == 0
    assert command(undisturbed, "run", "--since", "0").returncode == 0
    for name in ("people", "shaped"):
        entities = kept(killed, name)
        assert len(entities) == 6000
        assert sum("_deleted" in one for one in entities) == 1000
        assert entities == kept(undisturbed, name)


def test_a_dry_run_goes_all_the_way_and_changes_nothing(command: Command, tmp_path: Path) -> None:
    """What the first pipes would write the others read; the mails at the end are there to be looked at."""
    project(tmp_path, MAIL, SHAPE, READ)
    people(tmp_path, 3)
    done = command(tmp_path, "run", "--dry-run")
    assert done.returncode == 0
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()[1:4]]
    assert lines == [
        ["people", "3 read   3 would be written"],
        ["shaped", "3 read   3 would be written"],
        ["welcome", "3 read   3 would be sent"],
    ]
    assert "Rendered mail: .mailweir/dry-run/" in done.stdout
    assert not (tmp_path / ".mailweir/state.db").exists()
    command(tmp_path, "run", "people")
    people(tmp_path, 2)
    found = {one["id"]: one for one in json.loads(command(tmp_path, "run", "--dry-run", "--json").stdout)["pipes"]}
    assert (found["people"]["would"], found["people"]["would_delete"]) == ({"skipped": 2}, 1)
    assert (found["shaped"]["would"], found["welcome"]["would"]) == ({"written": 2, "skipped": 1}, {"sent": 2})


def test_the_summary_says_what_was_left_out_and_who_stopped(command: Command, tmp_path: Path) -> None:
    """What is no entity is counted where it is passed over; else its pipe is marked, and named beside the place."""
    skips = {"type": "json", "path": "people.jsonl", "on_error": "skip", "supports_since": False}
    stops = {"_id": "strict", "source": {"type": "json", "path": "people.jsonl"}}
    project(tmp_path, {**READ, "source": skips}, stops)
    (tmp_path / "people.jsonl").write_text('{"_id": "a"}\n{"_id": 5}\n{}\n{"_id": "b"}\n')
    done = command(tmp_path, "run")
    lines = [" ".join(line.split()[:-2]) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert lines == ["people 2 read 2 left out 2 written", "strict 1 read 1 written stopped"]
    assert "--> people.jsonl:2:9 (strict → source)" in done.stderr
    found = json.loads(command(tmp_path, "run", "--json").stdout)["pipes"]
    assert [pipe["left_out"] for pipe in found] == [2, 0]


def test_of_several_pipes_each_rejected_entity_names_its_own(command: Command, tmp_path: Path) -> None:
    """And what became no mail is looked for where it is kept, not in the outbox."""
    rules = {"default": [["add", "at", ["datetime-parse", "%Q", "_S.email"]]]}
    project(tmp_path, READ, {**SHAPE, "transform": {"type": "dtl", "rules": rules}})
    people(tmp_path, 12)
    done = command(tmp_path, "run")
    told = done.stdout.split("Rejected\n")[1].splitlines()
    assert [line.split()[:3] for line in told[:2]] == [
        ["shaped", "c0", "default[0][2]:"],
        ["shaped", "c1", "default[0][2]:"],
    ]
    assert told[10] == "  … and 2 more: mailweir failed"
    assert "0 wait for another try, 12 dead" in command(tmp_path, "failed").stderr
    done = command(tmp_path, "run", "shaped", "--since", "0", "--limit", "11")
    assert "  … and 1 more\n" in done.stdout


def test_a_position_that_a_source_does_not_know_is_refused(command: Command, tmp_path: Path) -> None:
    """It would be read from its start, which nobody asked for; the number of a change is one."""
    table = {"_id": "table", "source": {"type": "csv", "path": "t.csv", "primary_key": "_id"}}
    project(tmp_path, READ, SHAPE, table)
    people(tmp_path, 5)
    (tmp_path / "t.csv").write_text("_id\na\n")
    assert command(tmp_path, "run").returncode == 0
    for pipe, position in (("shaped", "xyz"), ("shaped", "99.3"), ("people", "3"), ("table", "1")):
        for options in ((), ("--dry-run",)):
            done = command(tmp_path, "run", pipe, "--since", position, *options)
            assert done.returncode == 2
            assert f"--since: `{position}` is no position in the source of `{pipe}`" in done.stderr
    assert "2 read" in command(tmp_path, "run", "shaped", "--since", "3").stdout
    assert "5 read" in command(tmp_path, "run", "shaped", "--since", "0").stdout
