"""References inside strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.references import LONGEST_NAME, MOST_FAULTS, Ref, scan

names = st.text("abcXYZ019-_.", min_size=1, max_size=20)
literals = st.text(max_size=20).filter(lambda text: "$" not in text)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("$ENV(a-b)", [Ref("ENV", "a-b", 0, 9)]),
        ("x$ENV(a)y$SECRET(b.c)", ["x", Ref("ENV", "a", 1, 8), "y", Ref("SECRET", "b.c", 9, 21)]),
        ("$$ENV(a)", ["$ENV(a)"]),
        ("$$$ENV(a)", ["$$ENV(a)"]),
        ("costs $5 (ENV)", ["costs $5 (ENV)"]),
        ("", []),
    ],
)
def test_a_string_falls_into_text_and_references(text: str, pieces: list[object]) -> None:
    """Names keep their spelling and place; two dollar signs stand for the text itself."""
    assert scan(text) == (pieces, [])


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("$ENV()", "E311", (0, 6)),
        ("$ENV(a b)", "E311", (0, 9)),
        ("x $SECRET(a", "E311", (2, 10)),
        ("$ENV($ENV(a))", "E307", (0, 13)),
        ("$ENV(a$SECRET(b))", "E307", (0, 17)),
        ("$env(a)", "E311", (0, 7)),
        ("$Secret(a)", "E311", (0, 10)),
        ("$ENV(å)", "E311", (0, 7)),
    ],
)
def test_what_is_no_reference_is_said_with_its_place(text: str, code: str, place: tuple[int, int]) -> None:
    """A name that is empty, odd, open or nested is a fault at the characters that are wrong."""
    _, faults = scan(text)
    assert [(fault.code, (fault.start, fault.end)) for fault in faults] == [(code, place)]


def test_a_fault_in_lower_case_knows_its_repair() -> None:
    """`$env(x)` as a whole value can only mean `$ENV(x)`."""
    assert scan("$env(x)")[1][0].repair == "$ENV(x)"


@given(st.lists(st.one_of(literals, st.tuples(st.sampled_from(["ENV", "SECRET"]), names)), max_size=8))
def test_composed_strings_come_apart_as_they_were_put_together(parts: list[str | tuple[str, str]]) -> None:
    """Whatever stands between them, references are found in order with their names."""
    text = "".join(part if isinstance(part, str) else f"${part[0]}({part[1]})" for part in parts)
    pieces, faults = scan(text)
    assert not faults
    found = [(piece.kind, piece.name) for piece in pieces if isinstance(piece, Ref)]
    assert found == [part for part in parts if not isinstance(part, str)]
    assert "".join(str(piece) for piece in pieces) == text


@given(st.text())
def test_any_text_can_be_scanned(text: str) -> None:
    """No text breaks the scan, and places lie inside the text."""
    pieces, faults = scan(text)
    for piece in [*pieces, *faults]:
        if not isinstance(piece, str):
            assert 0 <= piece.start < piece.end <= len(text)


def test_a_long_string_of_openings_ends_early() -> None:
    """A million unclosed references are told a few times, and looked at once each at most."""
    _, faults = scan("$ENV(" * 1_000_000)
    assert len(faults) == MOST_FAULTS
    assert all(fault.end - fault.start <= 2 * LONGEST_NAME for fault in faults)
