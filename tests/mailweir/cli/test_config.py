"""`mailweir config` as people call it, and other verbs on a project whose configuration is in the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from mailweir.cli.complete import candidates
from mailweir.cli.group import run
from mailweir.cli.watch import matters
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of

SYSTEM: Final = """{ "_id": "office", "type": "system:smtp",
  "smtp_server": "mail.example.com", "smtp_username": "kari", "use_tls": true,
  "smtp_password": "$SECRET(office-password)", "max_per_hour": %s }
"""
PIPE: Final = """{"_id": "greet", "type": "pipe",
  "source": {"type": "embedded", "entities": [{"_id": "c1", "email": "c1@example.com", "name": "Kari"}]},
  "sink": {"type": "mail", "system": "office", "mail_from": "a@example.com", "recipients_property": "email",
    "subject_template": "Hello {{ name }}", "text_body_template": "From us"}}
"""
SECRET: Final = "canary-hunter2-hunter2"


class Project:
    """A project in files, and the command in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """With a system and a pipe."""
        self.folder = folder
        self.capsys = capsys
        self.write("mailweir.json", "{}")
        self.write("systems/office.conf.json", SYSTEM % 100)
        self.write("pipes/greet.conf.json", PIPE)
        self.write(".secrets.env", f"office-password={SECRET}")
        (folder / ".secrets.env").chmod(0o600)

    def write(self, name: str, text: str) -> None:
        """A file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        code = run([*arguments, "-C", str(self.folder)])
        return code, *self.capsys.readouterr()

    def right(self, *arguments: str) -> str:
        """What it prints when it succeeds."""
        code, out, err = self(*arguments)
        assert code == 0, err
        return out

    def moved(self) -> None:
        """Into the database, without the files."""
        self.right("config", "import", "-m", "to begin")
        self.write("mailweir.json", '{"config_source": "database"}')
        for name in ("systems/office.conf.json", "pipes/greet.conf.json"):
            (self.folder / name).unlink()


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    """In files."""
    return Project(tmp_path, capsys)


def test_what_is_imported_is_exported_byte_for_byte(project: Project) -> None:
    """References stay references; the files come out as they went in."""
    project.moved()
    project.right("config", "export", "out")
    assert (project.folder / "out/systems/office.conf.json").read_text() == SYSTEM % 100
    assert (project.folder / "out/pipes/greet.conf.json").read_text() == PIPE
    (project.folder / "out/pipes/greet.conf.json").write_text("mine")
    code, _, err = project("config", "export", "out")
    assert (code, "add --force" in err) == (2, True)
    assert (project.folder / "out/pipes/greet.conf.json").read_text() == "mine"
    project.right("config", "export", "out", "--force")
    assert (project.folder / "out/pipes/greet.conf.json").read_text() == PIPE


def test_a_faulty_import_is_told_in_the_file_and_stores_nothing(project: Project) -> None:
    """The place is that in the file that was given; the first import says how to choose the database."""
    project.write("systems/office.conf.json", SYSTEM % '"many"')
    code, out, err = project("config", "import")
    assert (code, out) == (1, "")
    assert "error[E202]" in err
    assert "systems/office.conf.json:3:64" in err
    assert "Nothing was stored" in err
    assert not store_of(project.folder).exists()
    project.write("systems/office.conf.json", SYSTEM % 3)
    _, _, err = project("config", "import")
    assert "Change 1: greet v1, office v1" in err
    assert 'note: files are read until mailweir.json says {"config_source": "database"}' in err


def test_verbs_work_on_the_database_as_on_files(project: Project) -> None:
    """What they print is the same, but for the place of a component."""
    verbs = [
        ["check"],
        ["list"],
        ["list", "--refs", "office"],
        ["graph"],
        ["explain", "office"],
        ["limits"],
        ["preview", "greet"],
        ["transform", "greet"],
        ["test"],
        ["secret", "list"],
        ["run", "--dry-run"],
    ]
    before = [project(*verb)[:2] for verb in verbs]
    project.moved()
    after = [project(*verb)[:2] for verb in verbs]
    where = {
        "systems/office.conf.json": ".mailweir/config.db/office",
        "pipes/greet.conf.json": ".mailweir/config.db/greet",
    }
    for verb, (code, out), found in zip(verbs, before, after, strict=True):
        for file, stored in where.items():
            out = out.replace(file, stored)  # noqa: PLW2901
        if verb[0] in {"run", "list"}:
            # Columns are as wide as the names in them, and a dry run is called after its time.
            assert (verb, code) == (verb, found[0])
            continue
        assert (verb, code, out) == (verb, *found)


def test_history_diff_and_the_way_back(project: Project) -> None:
    """Who, what and why; back is a change of its own, and no secret is shown."""
    project.moved()
    project.write("new/office.conf.json", SYSTEM.replace("$SECRET(office-password)", SECRET) % 7)
    project.right("config", "import", "new", "--message", "slower")
    text = project.right("config", "diff")
    assert '-  "smtp_password": "$SECRET(office-password)", "max_per_hour": 100 }' in text
    assert '+  "smtp_password": "********", "max_per_hour": 7 }' in text
    assert project.right("config", "diff", "1", "2") == project.right("config", "diff", "1") == text
    changes = json.loads(project.right("config", "history", "--json"))["changes"]
    assert [(one["change"], one["about"]) for one in changes] == [(2, "slower"), (1, "to begin")]
    assert changes[0]["components"] == [{"id": "office", "version": 2, "removed": False}]
    assert "slower" not in project.right("config", "history", "greet")
    assert SECRET not in project.right("config", "export", "--json")
    assert "max_per_hour" in project.right("config", "rollback", "1", "--dry-run")
    project.right("config", "rollback", "1")
    assert "as after change 1" in project.right("config", "history")
    with SqliteConfig.open(store_of(project.folder), make=False) as store:
        assert store.snapshot().texts["office"].decode() == SYSTEM % 100
        assert store.snapshot().number == 3


def test_a_part_of_the_files_changes_that_part(project: Project) -> None:
    """What is not named stays, unless it is pruned; a dry import shows it."""
    project.moved()
    project.write("new/other.conf.json", '[{"_id": "other", "type": "system:smpt"}]')
    code, _, err = project("config", "import", "new")
    assert (code, "E205" in err, "new/other.conf.json (other):1:" in err) == (1, True, True), err
    project.write("new/other.conf.json", '[{"_id": "other", "type": "system:smtp"}]')
    assert "+++ other" in project.right("config", "import", "new", "--dry-run")
    project.right("config", "import", "new")
    assert "office" in project.right("list", "systems")
    project.right("config", "import", "new", "--prune")
    assert "office" not in project.right("list", "systems")
    assert "+++ /dev/null" not in project.right("config", "diff", "--files")


def test_a_repair_goes_into_the_database(project: Project) -> None:
    """`check --fix` makes a change of its own."""
    project.moved()
    with SqliteConfig.open(store_of(project.folder)) as store:
        store.commit({"greet": PIPE.replace('"pipe",', '"pipe",,', 1).encode()}, 1, 1.0, "x", "")
    code, _, err = project("check")
    assert (code, ".mailweir/config.db/greet:1:" in err) == (1, True)
    code, _, err = project("check", "--fix")
    assert (code, ".mailweir/config.db/greet  1 repaired" in err) == (0, True), err
    with SqliteConfig.open(store_of(project.folder), make=False) as store:
        assert store.snapshot().texts["greet"].decode() == PIPE
        assert store.history(1)[0].about == "mailweir check --fix"


def test_wrong_use_says_what_to_do(project: Project) -> None:
    """Nothing stored yet, no such change or component, no folder."""
    assert project("config")[0] == 2
    code, _, err = project("config", "history")
    assert (code, "help: mailweir config import" in err) == (3, True)
    project.write("mailweir.json", '{"config_source": "database"}')
    for name in ("systems/office.conf.json", "pipes/greet.conf.json"):
        (project.folder / name).rename(project.folder / name.replace(".conf", ""))
    for verb in (["check"], ["list"]):
        code, _, err = project(*verb)
        assert (code, "the database of the configuration is empty" in err) == (2, True)
    project.write("mailweir.json", "{}")
    (project.folder / "pipes/greet.json").rename(project.folder / "pipes/greet.conf.json")
    (project.folder / "systems/office.json").rename(project.folder / "systems/office.conf.json")
    project.moved()
    assert "there is no change 9; the last one is 1" in project("config", "rollback", "9")[2]
    assert "Did you mean 'office'?" in project("config", "history", "offic")[2]
    assert "name the folder" in project("config", "export")[2]
    assert "leave the numbers out" in project("config", "diff", "1", "--files")[2]
    assert "no file or folder 'nowhere'" in project("config", "import", "nowhere")[2]
    assert "Nothing to change" in project("config", "rollback", "1")[2]
    assert "No difference" in project("config", "diff", "1", "1")[2]


def test_tab_completes_from_the_database(project: Project) -> None:
    """Pipes and systems, and components that were removed since."""
    project.moved()
    assert candidates(["preview"], "", project.folder) == ["greet"]
    assert candidates(["limits"], "o", project.folder) == ["office"]
    assert candidates(["config", "history"], "", project.folder) == ["greet", "office"]
    assert candidates(["config", "rollback", "1"], "g", project.folder) == ["greet"]


def test_who_watches_sees_changes_of_the_database(project: Project) -> None:
    """And not those of the state beside it."""
    assert matters(store_of(project.folder), {project.folder})
    assert not matters(project.folder / ".mailweir" / "state.db", {project.folder})
