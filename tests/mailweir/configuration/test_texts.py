"""Texts of components: out of files, held against each other, with and without what is secret in them."""

from __future__ import annotations

from mailweir.configuration.texts import changed, diff, file_of, filled, misplaced, parts_of, shown
from pipeline.config.text import read

CLEAR = b'{"_id": "a", "type": "system:smtp", "smtp_password": "hunter2hunter2", "max_per_hour": 5}'
SHOWN = CLEAR.replace(b"hunter2hunter2", b"********")


def test_a_component_alone_in_a_file_is_the_whole_file() -> None:
    """Byte for byte, with what stands around it."""
    data = b'\xef\xbb\xbf\r\n {"_id": "a", "x": "$ENV(y)"}\n\n'
    (part,) = parts_of(read(data, "a.conf.json"), data)
    assert (part.id, part.data, part.name) == ("a", data, "a.conf.json")


def test_components_of_a_list_are_cut_out_of_it() -> None:
    """Each as it is written there."""
    data = '[ {"_id": "å",  "n": 1.0},\n{"n":2} ]'.encode()
    parts = parts_of(read(data, "all.conf.json"), data)
    assert [(one.id, one.data.decode()) for one in parts] == [
        ("å", '{"_id": "å",  "n": 1.0}'),
        ("all.conf.json (2)", '{"n":2}'),
    ]


def test_a_component_goes_to_the_folder_of_its_kind() -> None:
    """As `init` lays a project out."""
    assert file_of(CLEAR, "a") == "systems/a.conf.json"
    assert file_of(b'{"_id": "p", "type": "pipe"}', "p") == "pipes/p.conf.json"
    assert file_of(b'{"_id": "node", "type": "metadata"}', "node") == "node-metadata.conf.json"


def test_a_difference_shows_no_secret() -> None:
    """Neither of what was nor of what is; that only a secret changed is said."""
    other = CLEAR.replace(b"hunter2", b"hunter3")
    text = diff({"a": CLEAR}, {"a": other.replace(b"5", b"6"), "b": CLEAR})
    assert "hunter" not in text
    assert '"max_per_hour": 6' in text
    assert "--- /dev/null\n+++ b" in text
    assert diff({"a": CLEAR}, {"a": other}).endswith("(no difference that may be shown)")
    assert diff({"a": CLEAR}, {"a": CLEAR}) == ""


def test_what_changed_is_what_is_stored() -> None:
    """What is equal is left out, and what is gone is removed."""
    assert changed({"a": b"1", "b": b"1", "c": b"1"}, {"a": b"1", "b": b"2", "d": b"1"}) == {
        "b": b"2",
        "c": None,
        "d": b"1",
    }


def test_asterisks_that_were_read_are_the_secret_again() -> None:
    """Whoever reads a component with masks, changes something else and hands it back changes nothing else."""
    assert filled(SHOWN.replace(b"5", b"6"), CLEAR) == (CLEAR.replace(b"5", b"6"), [])


def test_asterisks_within_a_text_are_the_secret_again() -> None:
    """A login in a URL is masked in part, and comes back in part."""
    before = b'{"_id": "a", "type": "system:url", "proxy": "http://kari:hunter2hunter2@example.com/"}'
    seen = shown(before).encode()
    assert b"hunter" not in seen
    assert b"@example.com" in seen
    assert filled(seen, before) == (before, [])


def test_asterisks_that_hide_nothing_are_a_fault_with_its_place() -> None:
    """Else a mask would be stored as a password."""
    for before in (None, SHOWN.replace(b"********", b"$SECRET(p)").replace(b"smtp_password", b"comment")):
        _, (fault,) = filled(SHOWN, before)
        assert fault.code == "E203"
        assert SHOWN.decode()[fault.span.start : fault.span.end] == '"********"'


def test_a_text_is_one_component_with_its_own_id() -> None:
    """A list and another `_id` are faults; a text that is no JSON has faults enough."""
    assert [one.code for one in misplaced(read("[]", "x"), "a")] == ["E202"]
    assert [one.code for one in misplaced(read('{"_id": "b"}', "x"), "a")] == ["E210"]
    assert [one.code for one in misplaced(read('{"_id": "a"}', "x"), "a")] == []
    assert [one.code for one in misplaced(read("", "x"), "a")] == []
