"""Pauses, as notes of the state."""

from mailweir.serving.pauses import Pause, name_of, pauses_of, text_of


def test_pauses_come_back() -> None:
    """With who, when, why and until when, of a pipe or a system."""
    ann, bob = Pause("ann", 5.0, "why: because"), Pause("bob", 6.0, "x", 100.0)
    notes = {name_of("pipe", "a:b"): text_of(ann), name_of("system", "office"): text_of(bob)}
    assert pauses_of(notes, 50.0) == {("pipe", "a:b"): ann, ("system", "office"): bob}


def test_pauses_end() -> None:
    """One with an end holds up to it."""
    notes = {name_of("pipe", "a"): text_of(Pause("ann", 5.0, "x", 100.0))}
    assert pauses_of(notes, 99.9)
    assert not pauses_of(notes, 100.0)


def test_what_cannot_be_read_holds() -> None:
    """Somebody wanted it, so nothing runs until somebody says otherwise."""
    for text in ("", "{", "[1]", '["a", "b", "c", null]'):
        assert ("pipe", "a") in pauses_of({name_of("pipe", "a"): text}, 1e12)
