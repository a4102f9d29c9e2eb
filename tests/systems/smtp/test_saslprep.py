"""One form for each user name and password (RFC 4013)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.smtp.saslprep import UnpreparedError, saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
    ],
)
def test_the_examples_of_the_rfc_hold(text: str, prepared: str) -> None:
    """What section 3 of RFC 4013 shows comes out as it is shown."""
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("a\u00a0b\u3000c", "a b c"),
        ("blåbær", "blåbær"),
        ("a\u030a", "å"),
        ("", ""),
        ("\u0627\u0628", "\u0627\u0628"),
        ("\U0001f511 key", "\U0001f511 key"),  # younger than Unicode 3.2
    ],
)
def test_spaces_accents_and_young_characters_are_prepared(text: str, prepared: str) -> None:
    """Every space is one space, accents stand with their letters, unknown characters stay."""
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u0007", "a control character"),
        ("a\u0085", "a control character"),
        ("\ue000", "a private character"),
        ("\ufdd0", "a code that is no character"),
        ("\ud800", "half of a surrogate pair"),
        ("\ufffd", "a character that stands for one that is lost"),
        ("\u2ff0", "a character that describes others"),
        ("\u202e", "a character that changes how text is shown"),
        ("\U000e0041", "a tag character"),
        ("\u06271", "mixed with other writing"),
        ("\u0627a\u0628", "mixed with other writing"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(text: str, words: str) -> None:
    """Each table of RFC 3454 that RFC 4013 prohibits has its own words."""
    with pytest.raises(UnpreparedError, match=words):
        saslprep(text)


@given(st.text())
def test_prepared_text_stays_as_it_is_or_the_text_is_refused(text: str) -> None:
    """Preparing twice changes nothing more where the newest Unicode agrees with the old one."""
    try:
        once = saslprep(text)
    except UnpreparedError:
        return
    assert not any(unicodedata.category(one) in {"Cc", "Cs", "Co"} for one in once)
    assert unicodedata.ucd_3_2_0.normalize("NFKC", once) == once


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_ascii_is_its_own_form(text: str) -> None:
    """Nothing happens to printable ASCII."""
    assert saslprep(text) == text
