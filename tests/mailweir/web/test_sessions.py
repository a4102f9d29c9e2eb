"""What is sealed is known again, and nothing else is."""

from __future__ import annotations

import pytest

from mailweir.web.sessions import Seal

NOW = 1_774_000_000.0
DIGEST = "d" * 64
SEAL = Seal("t" * 43)


def test_what_is_sealed_is_known_again() -> None:
    """It says which token it stands for, until when, and what tells it from others."""
    text = SEAL.seal("session", DIGEST, "a" * 32, NOW + 60)
    opened = SEAL.open("session", text, NOW)
    assert opened is not None
    assert opened == (DIGEST, NOW + 60, "a" * 32)
    assert Seal("t" * 43).open("session", text, NOW) == opened


@pytest.mark.parametrize(
    ("seal", "purpose", "now"), [(SEAL, "code", NOW), (SEAL, "session", NOW + 60), (Seal("u" * 43), "session", NOW)]
)
def test_what_holds_no_longer(seal: Seal, purpose: str, now: float) -> None:
    """For another purpose, of another project or after its time it is nothing."""
    text = SEAL.seal("session", DIGEST, "a" * 32, NOW + 60)
    assert seal.open(purpose, text, now) is None  # type: ignore[arg-type]


def test_every_character_counts() -> None:
    """Whoever changes any part of it has nothing."""
    text = SEAL.seal("session", DIGEST, "a" * 32, NOW + 60)
    for at in range(len(text)):
        for other in "0f.é":
            forged = f"{text[:at]}{other}{text[at + 1 :]}"
            assert forged == text or SEAL.open("session", forged, NOW) is None


@pytest.mark.parametrize("text", ["", ".", "....", "é" * 200, "1." + "a" * 32 + "." + DIGEST + "." + "0" * 64])
def test_anything_else(text: str) -> None:
    """What nobody sealed is nothing."""
    assert SEAL.open("session", text, 0.0) is None


def test_the_token_of_a_page_is_that_of_its_session() -> None:
    """Each session has one of its own."""
    one, other = (SEAL.seal("session", DIGEST, letter * 32, NOW + 60) for letter in "ab")
    assert SEAL.is_csrf(one, SEAL.csrf(one))
    assert not SEAL.is_csrf(other, SEAL.csrf(one))
    assert not SEAL.is_csrf(one, "é")
