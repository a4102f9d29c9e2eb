"""Laws that hold for every text: against the standard library, for places, for fixes, and for size."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.text import Limits, apply, encode, read
from pipeline.config.tree import Broken, Document, Object, plain, walk

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=25,
)
STYLES: list[dict[str, Any]] = [
    {},
    {"indent": 2, "ensure_ascii": False},
    {"indent": "\t", "separators": (" ,", " : ")},
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": ("\r\n, \t", ":\n")},
]

CONFIG = r"""{
  "_id": "our-smtp-server",
  "type": "system:smtp",
  "smtp_server": "mail.example.com", "smtp_port": 587,
  "use_tls": true, "ratio": -1.5e3, "empty": {}, "none": null,
  "smtp_password": "$SECRET(password-variable)",
  "list": [1, "two", [3, {"four": false}], []],
  "text": "a \"quoted\" line\n\u00e5\ud83d\ude00 å 😀"
}
"""
SNIPPETS = [*"{}[]:,\"\\'`;=#/*$()+-.019eEtf \n\r\t\0\x01\xa0\ufeffå“”\u2018\u2019x", "$ENV(x)", "//", "/*", "*/",
            "True", "None", "NaN", "\\u0000", "\\ud800", "\\x", '""', "'a'", '\n "k": 1,', "=>", "{{",
            "http://x"]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A good config with up to four changes."""
    text = CONFIG
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        cut = draw(st.sampled_from([0, 0, 1, 1, 2, 7, 30]))
        text = text[:start] + draw(st.sampled_from(["", "", *SNIPPETS])) + text[start + cut :]
    return text


BROKEN = damaged() | st.lists(st.sampled_from(SNIPPETS), max_size=25).map("".join)


def strictly(text: str) -> object:
    """What the standard library reads, the words that are no JSON being refused."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def check_places(document: Document) -> None:
    """Every place is inside the text and the problems are in its order."""
    end = len(document.text)
    for problem in document.problems:
        places = [problem.span, *(label.span for label in (*problem.also, *problem.related))]
        places += [edit.span for edit in problem.fix]
        assert all(place.file == "f" and 0 <= place.start <= place.end <= end for place in places), problem
        assert "\n" not in problem.message
    starts = [problem.span.start for problem in document.problems]
    assert starts == sorted(starts)
    for node in walk(document.root) if document.root else ():
        assert 0 <= node.start <= node.end <= end


@given(VALUES, st.sampled_from(STYLES))
@settings(deadline=None, max_examples=300)
def test_what_the_standard_library_writes_is_read_back(value: object, style: dict[str, Any]) -> None:
    """In every style, to the same values of the same types, from text and from bytes."""
    text = json.dumps(value, **style)
    for data in (text, text.encode(), b"\xef\xbb\xbf" + text.encode()):
        document = read(data, "f")
        assert document.problems == []
        assert document.root is not None
        assert repr(plain(document.root)) == repr(json.loads(text))


@given(VALUES, st.sampled_from(STYLES))
@settings(deadline=None)
def test_the_span_of_a_value_holds_that_value(value: object, style: dict[str, Any]) -> None:
    """Each node and each key, cut out by its span, is the JSON of itself."""
    text = json.dumps(value, **style)
    root = read(text, "f").root
    assert root is not None
    for node in walk(root):
        assert repr(json.loads(text[node.start : node.end])) == repr(plain(node))
        if isinstance(node, Object):
            for name, member in node.members.items():
                assert json.loads(text[member.key.start : member.key.end]) == name == member.key.value


@given(BROKEN)
@settings(deadline=None, max_examples=1000)
@example('{"a" /* x */ 1}')
@example("[true,# x\n]")
def test_the_reader_and_the_standard_library_agree_on_what_is_json(text: str) -> None:
    """Accepted there: the same value, or one of the few extra refusals. Refused there: a located problem here."""
    document = read(text, "f")
    check_places(document)
    codes = {problem.code for problem in document.problems}
    try:
        value = strictly(text)
    except ValueError:
        assert codes or document.bom
    else:
        assert codes <= {"E109", "E111", "E112"}
        assert codes or (document.root is not None and repr(plain(document.root)) == repr(value))


@given(BROKEN)
@settings(deadline=None, max_examples=500)
def test_making_all_fixes_again_and_again_ends_soon(text: str) -> None:
    """Fixes repair more than they break: after a few rounds none is left, and good text is never touched."""
    rounds = 0
    document = read(text, "f")
    while edits := [edit for problem in document.problems for edit in problem.fix]:
        document = read(apply(document.text, edits), "f")
        rounds += 1
        assert rounds <= 8


Slip = tuple[str, Callable[[str], str]]
SLIPS: list[Slip] = [
    ("single quotes", lambda text: text.replace('"', "'")),
    ("typographic quotes", lambda text: text.replace('"', "”")),
    ("python words", lambda text: text.replace("true", "True").replace("false", "False").replace("null", "None")),
    ("trailing commas", lambda text: text.replace("\n}", ",\n}").replace("\n]", ",\n]")),
    ("no-break spaces", lambda text: text.replace("\n ", "\n\xa0")),
    ("semicolons", lambda text: text.replace(",\n", ";\n")),
    ("missing commas", lambda text: text.replace(",\n", "\n")),
    ("equal signs", lambda text: text.replace('": ', '" = ')),
    ("arrows", lambda text: text.replace('": ', '" => ')),
    ("missing colons", lambda text: text.replace('": ', '" ')),
]
WORDS = st.text("abcxyz-_.", min_size=1, max_size=8)
SIMPLE = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(WORDS, inner, min_size=1, max_size=3),
    max_leaves=10,
)


MIXTURES = st.lists(st.sampled_from(SLIPS), min_size=1, max_size=3, unique_by=lambda slip: slip[0]).filter(
    # With neither, names and values cannot be told apart.
    lambda slips: not {"missing commas", "missing colons"} <= {name for name, _ in slips}
)


@given(SIMPLE, MIXTURES)
@settings(deadline=None, max_examples=500)
def test_usual_slips_are_understood_and_repaired(value: object, slips: list[Slip]) -> None:
    """Whatever the mixture, the value is read as it was meant, and one round of fixes makes it good JSON."""
    text = json.dumps(value, indent=1)
    for _, slip in slips:
        text = slip(text)
    document = read(text, "f", limits=Limits(faults=10_000))
    assert document.root is not None
    assert repr(plain(document.root)) == repr(value)
    mended = apply(document.text, [edit for problem in document.problems for edit in problem.fix])
    assert strictly(mended) == value


@given(st.binary(max_size=200) | BROKEN.map(lambda text: text.encode("utf-8", "surrogatepass")), st.data())
@settings(deadline=None, max_examples=300)
def test_any_bytes_give_a_tree_or_located_problems(data: bytes, source: st.DataObject) -> None:
    """Never an exception, and the bytes can be written back; also when a limit is reached anywhere."""
    small = st.integers(1, 6)
    few = Limits(depth=source.draw(small), values=source.draw(small), faults=source.draw(small))
    for limits in (Limits(), few):
        document = read(data, "f", limits=limits)
        assert document.root is not None or document.problems
        assert len(document.problems) <= limits.faults + 1
        check_places(document)
        assert encode(document, document.text) == data


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_text_gives_a_tree_or_located_problems(text: str) -> None:
    """Half characters, which a str can hold, included; what is left of them can be encoded."""
    document = read(text, "f")
    assert document.root is not None or document.problems
    check_places(document)
    if document.root is not None:
        assert json.dumps(plain(document.root), ensure_ascii=False).encode()
        assert document.problems or not any(isinstance(node, Broken) for node in walk(document.root))


MEGABYTE = 1_000_000
REPEATED = ["[", '"', "\\", ",", "'", '{"a":', "\n", "$ENV(", "/*", "//\n", "#\n", "\xa0", "\xa0 ", "1;", "a ",
            "a{", "}", "[}", "{]", "“a", '"a"b ', '"x” ', 'x" ', '"a": "b\n', "'a\n\\'", '"\r', '\\"', "\0", "-",
            "1", "😀", "=", ":", "`", "True ", '""', "{}", "[]", "\ufeff", "\ud800", "$", "\u2028"]  # fmt: skip
BODIES = ["a", "\\n", "\n", "\t", "\\d", "\\ud800", "\\u0000", "\\'", "😀", "\\ud83d\\ude00", "x\ty", "“"]


@pytest.mark.parametrize("unit", REPEATED, ids=repr)
@pytest.mark.parametrize("before", ["", "[", '{"a": '])
def test_a_megabyte_of_anything_is_read(unit: str, before: str) -> None:
    """The reader comes back with a tree or problems, and finds its places inside the text."""
    document = read(before + unit * (MEGABYTE // len(unit)), "f")
    assert document.root is not None or document.problems
    assert len(document.problems) <= 101
    for problem in document.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(document.text)


@pytest.mark.parametrize("unit", BODIES, ids=repr)
@pytest.mark.parametrize("quote", ['"', "'", "“"])
@pytest.mark.parametrize("end", [True, False])
def test_a_string_of_a_megabyte_is_read(unit: str, quote: str, end: bool) -> None:
    """Closed or not, right or wrong, in any quotes."""
    closing = {"“": "”"}.get(quote, quote) if end else ""
    document = read(f"[{quote}{unit * (MEGABYTE // len(unit))}{closing}]", "f")
    assert document.root is not None
    assert bool(document.problems) != (end and quote == '"' and unit in ("a", "\\n", "😀", "\\ud83d\\ude00", "“"))


def test_random_bytes_are_one_fault() -> None:
    """A picture or an archive is told apart from a config by one problem, not by hundreds."""
    data = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(MEGABYTE)
    assert [problem.code for problem in read(data, "f").problems] == ["E112"]
