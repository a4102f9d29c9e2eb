"""How what is served stands to what is stored now."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from mailweir.configuration.stored_now import stands_of
from pipeline.config.load import Loaded, Options, load
from pipeline.config.store_sqlite import SqliteConfig
from pipeline.config.stored import store_of

OFFICE = '{"_id": "office", "type": "system:smtp", "max_per_hour": %s}'


def loading(folder: Path) -> Loaded:
    """The project as it is now."""
    return load(folder, Options(environ={}, here=folder, run_secrets=folder / "none"))


def test_files_that_are_as_they_are_served(tmp_path: Path) -> None:
    """Nothing differs, also with a mark and odd bytes; nothing is loaded."""
    (tmp_path / "a.conf.json").write_bytes(b"\xef\xbb\xbf" + (OFFICE % 5).encode() + b"\r\n")
    stands = stands_of(loading(tmp_path), lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert stands == ({"a.conf.json": "same"}, "", ())


def test_files_that_changed_went_or_came(tmp_path: Path) -> None:
    """The difference has all of them, without secrets, and the errors are those of a check."""
    for name in "ab":
        (tmp_path / f"{name}.conf.json").write_text((OFFICE % 5).replace("office", name))
    served = loading(tmp_path)
    (tmp_path / "a.conf.json").write_text((OFFICE % '"x", "smtp_password": "canary-1"').replace("office", "a"))
    (tmp_path / "b.conf.json").unlink()
    (tmp_path / "c.conf.json").write_text((OFFICE % 7).replace("office", "c"))
    stands = stands_of(served, partial(loading, tmp_path))
    assert stands.by_name == {"a.conf.json": "changed", "b.conf.json": "gone"}
    assert "+++ c.conf.json" in stands.difference
    assert "--- b.conf.json\n+++ /dev/null" in stands.difference
    assert "canary" not in stands.difference
    assert any(one.startswith("a.conf.json:1:") for one in stands.errors)


def test_a_database_that_changed(tmp_path: Path) -> None:
    """Components are told from those that are served; a database that cannot be read is an error."""
    (tmp_path / "mailweir.json").write_text('{"config_source": "database"}')
    with SqliteConfig.open(store_of(tmp_path)) as store:
        store.commit({"office": (OFFICE % 5).encode()}, 0, 1.0, "kari", "")
        served = loading(tmp_path)
        assert stands_of(served, None).by_name == {".mailweir/config.db/office": "same"}
        store.commit({"office": (OFFICE % 6).encode()}, 1, 1.0, "kari", "")
    stands = stands_of(served, partial(loading, tmp_path))
    assert (stands.by_name, stands.errors) == ({".mailweir/config.db/office": "changed"}, [])
    store_of(tmp_path).write_bytes(b"no" * 9000)
    assert "not a database" in stands_of(served, partial(loading, tmp_path)).errors[0]
