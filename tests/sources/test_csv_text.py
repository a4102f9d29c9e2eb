"""CSV as portions of bytes: what becomes of it, and where it is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.codes import find
from sources.csv_text import USUAL, Columns, Form, batches
from sources.parts import BATCH, MOST_BYTES, Fault

BY_ID = Columns(("id",))


def portions(data: bytes, size: int) -> Iterator[bytes]:
    """The data in pieces."""
    return (data[start : start + size] for start in range(0, len(data), size))


def read(
    text: str | bytes, columns: Columns = BY_ID, form: Form = USUAL, size: int = 1 << 20
) -> tuple[list[dict[str, Any]], list[Fault]]:
    """All entities and all faults of a text."""
    data = text if isinstance(text, bytes) else text.encode()
    entities: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for batch in batches(portions(data, size), "in.csv", columns, form):
        entities += batch.entities
        faults += [batch.fault] if batch.fault else []
    return entities, faults


def told(fault: Fault) -> tuple[str, int, str]:
    """Code, line and the text that is pointed at."""
    span = fault.problem.span
    before = fault.text[: span.start]
    return fault.problem.code, fault.place.line + before.count("\n"), fault.text[span.start : span.end]


def test_rows_become_entities() -> None:
    """The header names the properties, the key makes the `_id`, empty fields and empty lines leave nothing."""
    entities, faults = read('id,name,city\n1,Ada,\n\n2,"Lee, ""Bo""\nJr.",Oslo\r\n')
    assert entities == [
        {"_id": "1", "id": "1", "name": "Ada"},
        {"_id": "2", "id": "2", "name": 'Lee, "Bo"\nJr.', "city": "Oslo"},
    ]
    assert not faults


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    """The sign that the first line has most of outside of quotes keeps fields apart."""
    text = f'id{delimiter}"a,b;c|d,;|"{delimiter}n\n1{delimiter}x,y;z{delimiter}3\n'
    if delimiter in "x,y;z":
        text = text.replace("x,y;z", '"x,y;z"')
    assert read(text)[0] == [{"_id": "1", "id": "1", "a,b;c|d,;|": "x,y;z", "n": "3"}]


def test_a_first_line_may_say_the_delimiter() -> None:
    """`sep=` is no header; lines are counted with it."""
    entities, (fault,) = read("sep=|\r\nid|a\r\n1|b\r\n2\r\n")
    assert entities == [{"_id": "1", "id": "1", "a": "b"}]
    assert told(fault) == ("E219", 4, "2")


def test_columns_are_chosen_and_named() -> None:
    """Names of the configuration win over the header; lists of columns choose; nameless ones are left out."""
    names = ("id", "a", "b")
    assert read("x,y,z\n1,2,3\n", Columns(("id",), names=names))[0] == [{"_id": "1", "id": "1", "a": "2", "b": "3"}]
    assert read("1,2,3\n", Columns(("id",), has_header=False, names=names, only=("a", "b"), without=("b",)))[0] == [
        {"_id": "1", "a": "2"}
    ]
    assert read("1,2,3\n", Columns(("id",), has_header=False, names=names, without=names))[0] == [{"_id": "1"}]
    assert read(",id,\n0,1,\n")[0] == [{"_id": "1", "id": "1"}]
    assert read("id,a\n1,\n", Columns(("id",), keep_empty=True))[0] == [{"_id": "1", "id": "1", "a": ""}]


def test_a_column_of_the_name_id_does_not_win_over_the_key() -> None:
    """What the key says is the `_id`."""
    assert read("_id,id\n7,1\n")[0] == [{"_id": "1", "id": "1"}]
    assert read("_id,id\n7,1\n", Columns(("_id",)))[0] == [{"_id": "7", "id": "1"}]


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8"), min_size=1), st.text(":%a", min_size=1)),
        unique=True,
        max_size=9,
    )
)
def test_keys_of_several_columns_are_as_different_as_their_values(pairs: list[tuple[str, str]]) -> None:
    """Two rows have one `_id` only if all columns of the key are equal."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *pairs])
    entities, faults = read(text.getvalue(), Columns(("a", "b")), Form(","))
    assert not faults
    assert len({entity["_id"] for entity in entities}) == len(pairs)


values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    st.lists(st.lists(values, min_size=2, max_size=2), max_size=20),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_what_the_standard_library_writes_is_read(rows: list[list[str]], size: int, end: str, encoding: str) -> None:
    """Whatever the fields hold, however the bytes are cut."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "a", "b"])
    writer.writerows([str(number), *row] for number, row in enumerate(rows))
    found, faults = read(text.getvalue().encode(encoding), Columns(("id",), keep_empty=True), Form(","), size)
    assert not faults
    assert [[entity["a"], entity["b"]] for entity in found] == rows


@given(st.text('ab",;\n\r\x00é', max_size=60), st.integers(1, 9))
def test_no_text_breaks_the_reader(text: str, size: int) -> None:
    """Any text gives entities and located faults; how it is cut makes no difference."""
    whole, faults = read("id,b\n" + text)
    assert all(entity["_id"] for entity in whole)
    for fault in faults:
        line = fault.place.line
        assert 2 <= line <= 2 + text.count("\n") + text.count("\r")
        assert fault.text in "id,b\n" + text
    parts, again = read("id,b\n" + text, size=size)
    assert (whole, [told(one) for one in faults]) == (parts, [told(one) for one in again])


@pytest.mark.parametrize(
    ("text", "code", "line", "at", "resumes"),
    [
        ("id,a\n1,b,c,d\n", "E219", 2, "c,d", True),
        ("id,a\n\n1\n", "E219", 3, "1", True),
        ("id,a\n,b\n", "E218", 2, ",", True),
        ('id,a\n1,"b\nc"d\n', "E219", 3, "d", True),
        ('id,a\n1,"b""\n2,c\n3,d\n', "E106", 2, '"', False),
        ("Id,a\n1,b\n", "E219", 1, "Id,a", False),
        ("id,id\n1,b\n", "E219", 1, "id", False),
        ('id,"a\n1,b\n', "E106", 1, '"', False),
        ('id,"a"x\n1,b\n', "E219", 1, "x", False),
    ],
)
def test_faults_have_their_place(text: str, code: str, line: int, at: str, resumes: bool) -> None:
    """Code, line and what is pointed at; what cannot be trusted behind it is not read."""
    entities, (fault,) = read(text)
    assert (*told(fault), fault.resumes) == (code, line, at, resumes)
    assert not entities


def test_a_column_that_is_near_is_offered() -> None:
    """The names that are there, and the one that was meant."""
    _, (fault,) = read("Id,email\n1,b\n")
    assert [note.text for note in fault.problem.notes] == [
        "`primary_key` names it; columns: `Id`, `email`",
        "did you mean `Id`?",
    ]


def test_what_stands_around_a_fault_is_given_in_order() -> None:
    """Of thousands of rows only the wrong ones are missing, each with its line."""
    rows = [f"{number},x" if number % 300 else f"{number}" for number in range(2000)]
    entities, faults = read("id,a\n" + "\n".join(rows))
    assert [int(entity["_id"]) for entity in entities] == [number for number in range(2000) if number % 300]
    assert [fault.place.line for fault in faults] == [number + 2 for number in range(0, 2000, 300)]
    assert all(
        len(batch.entities) <= BATCH for batch in batches([("id,a\n" + "1,x\n" * 2000).encode()], "in.csv", BY_ID)
    )


def test_bytes_that_are_no_text_are_told_or_replaced() -> None:
    """In the row in which they stand; the rows around it are read. UTF-16 has no way on."""
    data = "id,a\n1,ok\n2,Bj\xf8rn\n3,ok\n".encode("latin-1")
    entities, (fault,) = read(data, size=3)
    assert [entity["_id"] for entity in entities] == ["1", "3"]
    assert told(fault) == ("E112", 3, "?")
    assert fault.problem.label == "the byte 0xF8 is not UTF-8 here"
    assert read(data, form=Form(replace=True))[0][1]["a"] == "Bj\ufffdrn"
    assert read(data, form=Form(encoding="latin-1"))[0][1]["a"] == "Bj\xf8rn"
    entities, (fault,) = read("id,a\n1,b\n2,c\n".encode("utf-16") + b"x")
    assert len(entities) == 2
    assert (fault.problem.code, fault.resumes) == ("E112", False)


@pytest.mark.parametrize(
    "text", ["id,a\n1," + "x" * (MOST_BYTES + 2), 'id,a\n1,"' + "xxxxxxx\n" * (MOST_BYTES // 8 + 200_000)]
)
def test_a_row_past_the_limit_ends_the_text(text: str) -> None:
    """In one line, and in a field that is never closed."""
    entities, (fault,) = read("id,a\n0,y\n" + text.removeprefix("id,a\n"))
    assert entities == [{"_id": "0", "id": "0", "a": "y"}]
    assert (fault.problem.code, fault.place.line, fault.resumes) == ("E113", 3, False)


def test_no_rows_are_no_entities() -> None:
    """Neither of nothing, nor of a header alone, nor of empty lines."""
    assert read("") == read("id,a\n") == read("\n\n") == ([], [])


def test_the_page_of_the_code_is_right() -> None:
    """Its wrong example gives the code, its right one an entity."""
    page = find("E219")
    assert page is not None
    (wrong,), (right,) = page.wrong, page.right
    _, (fault,) = read(wrong.text)
    assert fault.problem.code == "E219"
    assert read(right.text) == (
        [{"_id": "1", "id": "1", "name": "Lovelace, Ada", "email": "ada@example.com"}],
        [],
    )
