"""References inside strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.references import LONGEST_NAME, MOST_FAULTS, MOST_REFERENCES, Ref, alike, scan

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


@pytest.mark.parametrize(
    ("text", "meant", "place"),
    [
        ("to $env(a) here", "$ENV(a)", (3, 10)),
        ("x $Secret(a.b-c)", "$SECRET(a.b-c)", (2, 16)),
        ("$ENV{x}", "$ENV(x)", (0, 7)),
        ("$ENV[x]", "$ENV(x)", (0, 7)),
        ("$ENV (x)", "$ENV(x)", (0, 8)),
        ("$SECRET  {x}", "$SECRET(x)", (0, 12)),
        ("$ENV(a)$env[b]", "$ENV(b)", (7, 14)),
    ],
)
def test_what_looks_like_a_reference_is_told(text: str, meant: str, place: tuple[int, int]) -> None:
    """With what was meant, at its characters; it is text all the same."""
    (fault,) = alike(text)
    assert (fault.code, (fault.start, fault.end), fault.repair) == ("W317", place, None)
    assert fault.notes[0].text == f"did you mean `{meant}`?"
    assert scan(text)[1] == []


@pytest.mark.parametrize(
    "text",
    [
        *("$ENV(a)", "$$ENV(a)", "$$env(a)", "$$ENV{a}", "env(a)", "$environment(a)", "$ENV", "$ENV a", "$ENV{}"),
        *("$ENV{a)", "$ENV{a b}", "$env['a']", "$ENV\n(a)", "${ENV}", "$5 (env)", "$envoy{a}"),
    ],
)
def test_what_is_right_or_something_else_is_not_told(text: str) -> None:
    """References, two dollar signs, other words, and brackets that hold no name."""
    assert list(alike(text)) == []


@given(st.text("$envENVsecretSECRET([{)]} ab", max_size=40))
def test_places_of_what_looks_alike_lie_in_the_text(text: str) -> None:
    """Each is a part of the text, and none is a reference."""
    pieces, faults = scan(text)
    spans = [(piece.start, piece.end) for piece in pieces if isinstance(piece, Ref)]
    for fault in alike(text):
        assert 0 <= fault.start < fault.end <= len(text)
        assert faults or (fault.start, fault.end) not in spans


def test_a_string_of_references_is_read_once() -> None:
    """Far more than a file has values are not looked at: what follows is text."""
    pieces, faults = scan("$ENV(a)" * 1_000_000)
    assert not faults
    assert sum(isinstance(piece, Ref) for piece in pieces) == MOST_REFERENCES + 1
    assert len(list(alike("$env(a)" * 1_000_000))) == MOST_FAULTS
    assert list(alike("$env(" * 1_000_000)) == []
