"""Changes of a configuration in a database: checked as files are, and none over another that was not seen."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mailweir.configuration.desk import ConflictError, Desk, RefusedChangeError, Wanted
from pipeline.clock import VirtualClock
from pipeline.config.load import Options

OFFICE = b'{"_id": "office", "type": "system:smtp", "max_per_hour": %d}'
PIPE = b"""{"_id": "p", "type": "pipe",
 "source": {"type": "embedded", "entities": [{"_id": "c", "mail": "c@example.com"}]},
 "sink": {"type": "mail", "system": "office", "mail_from": "a@example.com", "recipients_property": "mail",
 "subject_template": "s", "text_body_template": "t"}}"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Of a project with nothing in its database."""
    (tmp_path / "mailweir.json").write_text('{"config_source": "database"}')
    return Desk(
        tmp_path,
        lambda: Options(environ={}, here=tmp_path, run_secrets=tmp_path / "none"),
        VirtualClock(5.0, 100.0, "b"),
    )


def test_a_change_is_stored_with_who_and_when(desk: Desk) -> None:
    """What is as it is wanted already is no change."""
    change = desk.change(Wanted({"office": OFFICE % 5}, "kari", "to begin"))
    assert change is not None
    assert (change.number, change.at, change.who, change.about) == (1, 100.0, "kari", "to begin")
    assert desk.change(Wanted({"office": OFFICE % 5}, "kari")) is None
    assert desk.now().texts == {"office": OFFICE % 5}


def test_a_change_with_an_error_is_refused_and_stores_nothing(desk: Desk) -> None:
    """All errors come at once, each at its place in the text that was given."""
    wrong = PIPE.replace(b'"office"', b'"offic"')
    with pytest.raises(RefusedChangeError) as caught:
        desk.change(Wanted({"office": OFFICE.replace(b"%d", b'"x"'), "p": wrong}, "kari"))
    found = [(one.code, one.span.file, one.span.start) for one in caught.value.problems]
    assert found == [
        ("E202", ".mailweir/config.db/office", OFFICE.index(b"%d")),
        ("E304", ".mailweir/config.db/p", wrong.index(b'"offic"')),
    ]
    assert desk.now().texts == {}


def test_what_others_need_is_not_removed(desk: Desk) -> None:
    """A pipe whose system goes away is an error of the whole; both together may go."""
    desk.change(Wanted({"office": OFFICE % 5, "p": PIPE}, "kari"))
    with pytest.raises(RefusedChangeError):
        desk.change(Wanted({"office": None}, "kari"))
    change = desk.change(Wanted({"office": None, "p": None}, "kari"))
    assert change is not None
    assert desk.now().texts == {}


def test_a_version_that_is_no_more_is_a_conflict(desk: Desk) -> None:
    """Who has seen version 1 does not change version 2, nor what was removed, nor make what is there."""
    desk.change(Wanted({"office": OFFICE % 1}, "kari", versions={"office": 0}))
    desk.change(Wanted({"office": OFFICE % 2}, "kari", versions={"office": 1}))
    for seen in (0, 1, 3):
        with pytest.raises(ConflictError, match="is at version 2"):
            desk.change(Wanted({"office": OFFICE % 3}, "ola", versions={"office": seen}))
    desk.change(Wanted({"office": None}, "kari", versions={"office": 2}))
    with pytest.raises(ConflictError, match="is not there"):
        desk.change(Wanted({"office": OFFICE % 3}, "ola", versions={"office": 2}))
    assert [one.number for one in desk.look().history(9)] == [3, 2, 1]


def test_a_dry_change_stores_nothing(desk: Desk) -> None:
    """It says what would be stored."""
    made = desk.candidate(Wanted({"office": OFFICE % 5}, "kari"))
    assert made.edits == {"office": OFFICE % 5}
    assert not desk.is_there


def test_back_to_an_earlier_change(desk: Desk) -> None:
    """All of it or one component; what was made since is removed."""
    desk.change(Wanted({"office": OFFICE % 1}, "kari"))
    desk.change(Wanted({"office": OFFICE % 2, "p": PIPE}, "kari"))
    with desk.look() as store:
        one = desk.back_to(store, 1, ["office"], "ola", "")
        every = desk.back_to(store, 1, [], "ola", "")
    assert one.edits == {"office": OFFICE % 1}
    assert every.edits == {"office": OFFICE % 1, "p": None}
    assert desk.change(every) is not None
    assert desk.now().texts == {"office": OFFICE % 1}


def test_of_two_that_change_different_components_at_once_both_are_stored(desk: Desk) -> None:
    """Who was late is checked again beside what was stored meanwhile."""
    names = [f"s{number}" for number in range(4)]

    def work(name: str) -> None:
        desk.change(Wanted({name: OFFICE.replace(b"office", name.encode()) % 5}, name, versions={name: 0}))

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(desk.now().texts) == names
    with desk.look() as store:
        assert len(store.history(9)) == len(names)
