"""A project whose configuration is in a database is loaded as one of files is."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.load import Loaded, Options, load
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of

SYSTEM = b'{"_id": "office", "type": "system:smtp", "smtp_password": "$SECRET(p)", "smtp_username": "u"}'


def loaded(root: Path, texts: dict[str, bytes | None], *, paths: tuple[Path, ...] = ()) -> Loaded:
    """The project with these components in its database."""
    root.joinpath("mailweir.json").write_text('{"config_source": "database"}')
    if texts:
        with SqliteConfig.open(store_of(root)) as store:
            store.commit(texts, store.snapshot().number, 1.0, "kari", "")
    return load(root, Options(environ={"p": "x"}, here=root, run_secrets=root / "none"), paths)


def test_components_come_from_the_database(tmp_path: Path) -> None:
    """References are looked up as in files, and the file of a component is called after the database."""
    (tmp_path / ".secrets.env").write_text("p=hunter2hunter2")
    (tmp_path / ".secrets.env").chmod(0o600)
    found = loaded(tmp_path, {"office": SYSTEM})
    assert found.problems == []
    assert [(one.kind, one.id) for one in found.project.components] == [("system", "office")]
    assert list(found.files) == [".mailweir/config.db/office"]


def test_a_fault_has_its_place_in_the_text(tmp_path: Path) -> None:
    """The span counts characters of the text that was given."""
    found = loaded(tmp_path, {"office": SYSTEM.replace(b'"u"', b"7")})
    (fault,) = [one for one in found.problems if one.code == "E202"]
    assert (fault.span.file, fault.span.start) == (".mailweir/config.db/office", SYSTEM.decode().index('"u"'))


def test_files_beside_the_database_are_not_read_and_that_is_said(tmp_path: Path) -> None:
    """W118 points at the setting and names the file; without such a file it is silent."""
    silent = loaded(tmp_path, {"office": SYSTEM.replace(b"$SECRET(p)", b"$ENV(p)")})
    assert "W118" not in {one.code for one in silent.problems}
    (tmp_path / "pipes").mkdir()
    (tmp_path / "pipes" / "a.conf.json").write_text("{")
    found = loaded(tmp_path, {})
    assert [one.id for one in found.project.components] == ["office"]
    (said,) = [one for one in found.problems if one.code == "W118"]
    assert "`pipes/a.conf.json` is not read" in said.message
    assert found.project.texts["mailweir.json"][said.span.start : said.span.end] == '"database"'


def test_a_database_that_is_no_database_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    """It is told as a file that cannot be read; before anything was stored the project is empty."""
    assert loaded(tmp_path, {}).files == {}
    store_of(tmp_path).parent.mkdir()
    store_of(tmp_path).write_bytes(b"no" * 5000)
    (fault,) = loaded(tmp_path, {}).project.errors
    assert (fault.code, fault.span.file) == ("E115", ".mailweir/config.db")
    assert "not a database" in fault.message


def test_the_database_stands_for_its_components_on_the_command_line(tmp_path: Path) -> None:
    """Named as a path, it is no file of configuration of its own."""
    texts: dict[str, bytes | None] = {"office": b'{"_id": "office", "type": "system:smtp", "nonsense": 1}'}
    found = loaded(tmp_path, texts, paths=(store_of(tmp_path),))
    assert [one.span.file for one in found.problems] == [".mailweir/config.db/office"]
