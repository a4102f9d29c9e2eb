"""Names are found in the first place that has them, as they are written or as shells spell them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.lookup import Place, Unread, find, hidden, is_plain, shell_name, spellings


def place(name: str, *, exact: bool = False, unread: Unread | None = None, **values: object) -> Place:
    """A place with these values; `_` in a keyword stands for `-`."""
    spelled = {key if key.isupper() else key.replace("_", "-"): value for key, value in values.items()}
    return Place(f"{name} (found)", name, spelled, exact=exact, unread=unread or ())


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("smtp-username", ("smtp-username", "SMTP_USERNAME")),
        ("smtp.user-name", ("smtp.user-name", "SMTP_USER_NAME")),
        ("smtp_port", ("smtp_port", "SMTP_PORT")),
        ("SMTP_PORT", ("SMTP_PORT",)),
        ("straße", ("straße", "STRA_E")),
    ],
)
def test_spellings(name: str, spelled: tuple[str, ...]) -> None:
    """The name as it is written, then for shells; once when they are the same."""
    assert spellings(name) == spelled


@given(st.text(min_size=1))
def test_a_shell_name_is_its_own_shell_name(name: str) -> None:
    """Spelling for shells needs no second step, and leaves letters, digits and `_` only."""
    spelled = shell_name(name)
    assert shell_name(spelled) == spelled
    assert spelled.isascii()
    assert spelled.replace("_", "a").isalnum()


def test_the_first_place_wins() -> None:
    """A name is taken from the first place that has it, in whichever spelling; within one place as it is written."""
    places = [place("a", other=1), place("b", SMTP_PORT=2), place("c", smtp_port=3, SMTP_PORT=4)]
    found = find(places, "smtp-port")
    assert found is not None
    assert (found.value, found.place.name, found.spelling) == (2, "b", "SMTP_PORT")
    found = find(places[2:], "smtp-port")
    assert found is not None
    assert (found.value, found.spelling) == (3, "smtp-port")
    assert find(places, "nowhere") is None


@pytest.mark.parametrize("value", ["", None, False, 0])
def test_an_empty_value_is_a_value(value: object) -> None:
    """A name that is set to nothing is set."""
    found = find([place("a", empty=value), place("b", empty="full")], "empty")
    assert found is not None
    assert found.value is value


def test_an_exact_place_is_asked_for_the_name_as_it_is_written() -> None:
    """The spelling for shells is not tried there."""
    assert find([place("a", exact=True, SMTP_PORT=1)], "smtp-port") is None
    assert find([place("a", exact=True, smtp_port=1)], "smtp-port") is not None


def test_labels() -> None:
    """A label is a text, or depends on the name that was looked for."""
    assert place("a").label_for("x") == "a (found)"
    assert Place(lambda name: f"as {name}", "a", {}).label_for("x") == "as x"


def test_names_that_may_stand_in_what_could_not_be_read() -> None:
    """They are known in both spellings, in any of the places, and also when they are added later."""
    unread = Unread(["SMTP_PORT"])
    places = [place("a"), place("b", unread=unread)]
    assert hidden(places, "smtp-port")
    assert not hidden(places, "smtp-host")
    unread.names.add("smtp-host")
    assert hidden(places, "smtp-host")
    assert not hidden(places, "other")
    unread.everything = True
    assert hidden(places, "other")
    assert hidden([place("c", unread=Unread(everything=True))], "x")


@pytest.mark.parametrize("name", ["a", "smtp-password", "SMTP_PASSWORD", "a.b", "9", "_x", "a-"])
def test_plain_names(name: str) -> None:
    """Names of files in one folder, which are no options either."""
    assert is_plain(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "..data", ".hidden", "a..b", "a/b", "/etc/passwd", "-x", "a b", "a\0b", "a\n", "ä", "{name}"],
)
def test_names_that_could_lead_elsewhere(name: str) -> None:
    """Folders above, hidden files, options, blanks and anything but ASCII."""
    assert not is_plain(name)


def test_values_are_not_printed() -> None:
    """A place and what was found in it can be printed without the values and without what could not be read."""
    found = find([place("a", unread=Unread(["c4nary"]), host="c4nary")], "host")
    assert "c4nary" not in repr(found)
