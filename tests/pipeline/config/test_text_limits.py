"""Bytes that are no UTF-8, and texts past the limits."""

from __future__ import annotations

import json

import pytest

from pipeline.config.text import Limits, encode, read
from pipeline.config.tree import Array, Document, Lines, plain


def found(document: Document) -> list[tuple[str, int, int]]:
    """Code, line and column of each problem."""
    lines = Lines(document.text)
    return [(problem.code, *lines.place(problem.span.start)) for problem in document.problems]


BYTES: list[tuple[bytes, list[tuple[str, int, int]], object]] = [
    ('\ufeff{"a": "å"}'.encode(), [], {"a": "å"}),
    ("\ufeff\ufeff{}".encode(), [("E108", 1, 1)], {}),
    (b'{"name": "K\xe5re"}', [("E112", 1, 12)], {"name": "K\ufffdre"}),
    (b'{"f\xe5r": 1,\n "f\xf8r": \xe6}', [("E112", 1, 4)], {"f\ufffdr": None}),
    (b'{"a": 1 \xe5}', [("E112", 1, 9)], {"a": 1}),
    (b'["\xc0\xaf", "\xed\xa0\x80"]', [("E112", 1, 3)], ["\ufffd\ufffd", "\ufffd\ufffd\ufffd"]),
    (b"", [("E114", 1, 1)], None),
    (b" \n\t ", [("E114", 1, 1)], None),
    (b"\xef\xbb\xbf", [("E114", 1, 1)], None),
]


@pytest.mark.parametrize(("data", "problems", "result"), BYTES)
def test_bytes_are_read_as_utf8(data: bytes, problems: list[tuple[str, int, int]], result: object) -> None:
    """A byte order mark is passed over; bytes that are no UTF-8 are one fault at the first, and reading goes on."""
    document = read(data, "f")
    assert found(document) == problems
    assert (plain(document.root) if document.root else None) == result
    assert encode(document, document.text) == data


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wider_encodings_are_named(encoding: str) -> None:
    """UTF-16 and UTF-32, with a mark or without, are one problem that says so; there is no tree."""
    data = '{"a": 1}'.encode(encoding)
    document = read(data, "f")
    assert [problem.code for problem in document.problems] == ["E112"]
    assert document.problems[0].message == f"the file is {encoding[:6].upper()}, not UTF-8"
    assert document.root is None
    assert encode(document, document.text) == data


def test_strings_of_the_tree_can_always_be_encoded() -> None:
    """Bad bytes, half characters and NUL are reported and do not travel on, in keys neither."""
    root = read(b'{"\xff\\ud800": ["\\u0000", "\xff", {"\\udc00": "\xe5\\n"}]}', "f").root
    assert root is not None
    assert plain(root) == {"\ufffd\ufffd": ["\ufffd", "\ufffd", {"\ufffd": "\ufffd\n"}]}
    assert json.dumps(plain(root), ensure_ascii=False).encode("utf-8")


def test_text_with_half_characters_is_refused_like_bytes() -> None:
    """A str can hold what no file in UTF-8 can."""
    assert found(read('["\ud800"]', "f")) == [("E112", 1, 3)]


def test_more_than_64_levels_end_the_reading() -> None:
    """64 are read; the bracket of the 65th is the one problem."""
    assert read("[" * 64 + "]" * 64, "f").problems == []
    for deep in ("[" * 100_000, '{"a":' * 70, "[" * 65 + "]" * 65):
        document = read(deep, "f")
        assert [problem.message for problem in document.problems] == [
            "nested deeper than 64 levels, reading stops here"
        ]
        opener = deep[0]
        assert deep[: document.problems[0].span.start].count(opener) == 64


def test_more_values_than_the_limit_end_the_reading() -> None:
    """What was read before stays, marked as not whole."""
    for text in ("[" + ",".join("1" * 11) + "]", "[" + ",".join(["[]"] * 11) + "]"):
        document = read(text, "f", limits=Limits(values=10))
        assert [(problem.code, problem.message) for problem in document.problems] == [
            ("E113", "more than 10 values, reading stops here")
        ]
        root = document.root
        assert isinstance(root, Array)
        assert len(root.items) == 10
        assert not root.whole
    many = "{" + ",".join(f'"k{i}":{i}' for i in range(100_001)) + "}"
    assert [problem.message for problem in read(many, "f").problems] == ["more than 100 000 values, reading stops here"]
    assert read("[" + ",".join("1" * 99_999) + "]", "f").problems == []


def test_a_file_over_the_limit_of_bytes_is_not_read() -> None:
    """Bytes count, not characters; the problem names the limit."""
    for data in (b"[" + b" " * 99 + b"]", '["' + "å" * 49 + '"]'):
        document = read(data, "f", limits=Limits(bytes=100))
        assert (document.root, document.text) == (None, "")
        problem = document.problems[0]
        assert (problem.code, problem.message) == ("E113", "the file is too large")
        assert problem.notes[0].text == "the limit is 100 bytes"
    assert read('["' + "å" * 48 + '"]', "f", limits=Limits(bytes=100)).problems == []
    assert read(b" " * 10_000_001, "f").problems[0].notes[0].text == "the limit is 10 000 000 bytes"


def test_more_faults_than_the_limit_end_the_reading() -> None:
    """The problem after the last one says so, wherever the faults stand."""
    for text in ("[" + "01," * 200 + "1]", '{"a": 1' + ', "a": 1' * 200 + "}", "# x\n" * 200, "[" + "{]," * 200):
        document = read(text, "f")
        assert len(document.problems) == 101
        last = document.problems[-1]
        assert (last.code, last.message) == ("E113", "more than 100 faults, reading stops here")
        starts = [problem.span.start for problem in document.problems]
        assert starts == sorted(starts)
    assert len(read("[" + "01," * 100 + "1]", "f").problems) == 100
    assert len(read("[01, 02, 03]", "f", limits=Limits(faults=2)).problems) == 3
