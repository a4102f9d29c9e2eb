"""What comes out of texts that are right, and of each kind of fault on its own."""

from __future__ import annotations

import json
import sys

import pytest

from pipeline.config.text import apply, read
from pipeline.config.tree import Array, Broken, Document, Lines, Node, Object, Scalar, plain, walk
from pipeline.errors import Problem


def found(document: Document) -> list[tuple[str, int, int]]:
    """Code, line and column of each problem."""
    lines = Lines(document.text)
    return [(problem.code, *lines.place(problem.span.start)) for problem in document.problems]


def value(document: Document) -> object:
    """The plain value of a document that has one."""
    assert document.root is not None
    return plain(document.root)


def only(text: str | bytes) -> Problem:
    """The one problem of a text."""
    problems = read(text, "f").problems
    assert len(problems) == 1, [problem.message for problem in problems]
    return problems[0]


# text, problems as (code, line, column), value after recovery
RECOVERED: list[tuple[str, list[tuple[str, int, int]], object]] = [
    # E101
    ('{"a": 1,}', [("E101", 1, 8)], {"a": 1}),
    ("[1,\n 2,\n]", [("E101", 2, 3)], [1, 2]),
    ("[1,,2]", [("E101", 1, 4)], [1, 2]),
    ("[,1]", [("E101", 1, 2)], [1]),
    ("[,]", [("E101", 1, 2)], []),
    ("[1,,]", [("E101", 1, 3), ("E101", 1, 4)], [1]),
    ('{"a": 1,,"b": 2}', [("E101", 1, 9)], {"a": 1, "b": 2}),
    ('{"a": 1},\n', [("E101", 1, 9)], {"a": 1}),
    ('{"a": [1,], "b": {"c": 2,},}', [("E101", 1, 9), ("E101", 1, 25), ("E101", 1, 27)], {"a": [1], "b": {"c": 2}}),
    # E102
    ('{"a": 1 "b": 2}', [("E102", 1, 8)], {"a": 1, "b": 2}),
    ('{"a": {}\n "b": []\n "c": "x\\n"\n "d": 1}', [("E102", 1, 9), ("E102", 2, 9), ("E102", 3, 12)],
     {"a": {}, "b": [], "c": "x\n", "d": 1}),
    ("[1 2\n3]", [("E102", 1, 3), ("E102", 1, 5)], [1, 2, 3]),
    ('["a""b"[1]{"c": 2}]', [("E102", 1, 5), ("E102", 1, 8), ("E102", 1, 11)], ["a", "b", [1], {"c": 2}]),
    ('{"a": 1; "b": 2}', [("E102", 1, 8)], {"a": 1, "b": 2}),
    ("[1; 2]", [("E102", 1, 3)], [1, 2]),
    ('{"a": "b": "c": 1, "d": 2:\n "e": 3}', [("E102", 1, 10), ("E102", 1, 26)], {"a": "b", "c": 1, "d": 2, "e": 3}),
    ("{\"a\": 1 b: 2 'c': 3}", [("E102", 1, 8), ("E103", 1, 9), ("E102", 1, 13), ("E103", 1, 14)],
     {"a": 1, "b": 2, "c": 3}),
    # E103
    ("{'a': 'b'}", [("E103", 1, 2), ("E103", 1, 7)], {"a": "b"}),
    ("['it\\'s \"x\"', 'it's']", [("E103", 1, 2), ("E103", 1, 15)], ['it\'s "x"', "it's"]),
    ("{a: 1, $b-c.d: 2, two words: 3, 4: 5, null: 6}",
     [("E103", 1, 2), ("E103", 1, 8), ("E103", 1, 19), ("E103", 1, 33), ("E103", 1, 39)],
     {"a": 1, "$b-c.d": 2, "two words": 3, "4": 5, "null": 6}),
    ("{$ENV(x): 1}", [("E103", 1, 2)], {"$ENV(x)": 1}),
    ("{“a”: „b“, \u2018c\u2019: `d`, «e»: \uff02f\uff02}",
     [("E103", 1, 2), ("E103", 1, 7), ("E103", 1, 12), ("E103", 1, 17), ("E103", 1, 22), ("E103", 1, 27)],
     {"a": "b", "c": "d", "e": "f"}),
    ('{"a": “b", "c": "d”, "e": "f”\n}', [("E103", 1, 7), ("E103", 1, 17), ("E103", 1, 27)],
     {"a": "b", "c": "d", "e": "f"}),
    ('{"a": b", c": 1, "d": true"}', [("E103", 1, 7), ("E103", 1, 11), ("E103", 1, 23)],
     {"a": "b", "c": 1, "d": "true"}),
    ('{"a": "<a href="x">y</a>", "b": 2}', [("E103", 1, 16)], {"a": None, "b": 2}),
    ('{"a": "say {{ x["y"] }}"}', [("E103", 1, 17)], {"a": None}),
    ('{"a: 1, "b: "c",\n "d:[1], "e: {"f:true}}',
     [("E103", 1, 4), ("E103", 1, 11), ("E103", 2, 4), ("E103", 2, 12), ("E103", 2, 17)],
     {"a": 1, "b": "c", "d": [1], "e": {"f": True}}),
    ("[`a\nb`]", [("E103", 1, 2), ("E109", 1, 4)], ["a\nb"]),
    # E104
    ('{"a": $SECRET(x), "b": [$ENV(y)]}', [("E104", 1, 7), ("E104", 1, 25)], {"a": "$SECRET(x)", "b": ["$ENV(y)"]}),
    ("$ENV(a)", [("E104", 1, 1)], "$ENV(a)"),
    ('{"a": $SECRET(x)// c\n}', [("E104", 1, 7), ("E105", 1, 17)], {"a": "$SECRET(x)"}),
    # E105
    ('// one\n{"a": 1, # two\n "b" /* three */ : /* four\n */ 2 /**/}//',
     [("E105", 1, 1), ("E105", 2, 10), ("E105", 3, 6), ("E105", 3, 20), ("E105", 4, 7), ("E105", 4, 12)],
     {"a": 1, "b": 2}),
    ('{"a" /* x */ 1}', [("E110", 1, 5), ("E105", 1, 6)], {"a": 1}),
    ('{"a": "// no # comment /* */"}', [], {"a": "// no # comment /* */"}),
    # E106
    ('{"_id": "c1"', [("E106", 1, 1)], {"_id": "c1"}),
    ('{"a": [1, {"b": 2', [("E106", 1, 11)], {"a": [1, {"b": 2}]}),
    ('{"a":', [("E106", 1, 1)], {"a": None}),
    ('{"a"', [("E106", 1, 1)], {"a": None}),
    ('{"a": 1,', [("E106", 1, 1)], {"a": 1}),
    ('[{"a": 1]', [("E106", 1, 2)], [{"a": 1}]),
    ('[{"a": {"b": [1]]', [("E106", 1, 8)], [{"a": {"b": [1]}}]),
    ("[1, 2}", [("E106", 1, 6)], [1, 2]),
    ('{"a": [1, 2}, "b": 3}', [("E106", 1, 12)], {"a": [1, 2], "b": 3}),
    ('{"a": [1, 2}', [("E106", 1, 7)], {"a": [1, 2]}),
    ('{"a": [1,}, "b": 3}', [("E101", 1, 9), ("E106", 1, 10)], {"a": [1], "b": 3}),
    ('{"x": {"a": [1}, "b": 2}}', [("E106", 1, 15)], {"x": {"a": [1], "b": 2}}),
    ('{"x": [[1}], "b": 2}', [("E106", 1, 10)], {"x": [[1]], "b": 2}),
    ('{"x": [[1}]], "b": 2}', [("E106", 1, 10)], {"x": [[1]], "b": 2}),
    ('[{"a": 1]}, 2]', [("E106", 1, 9)], [{"a": 1}, 2]),
    ('{"a": {"x": 1}}, "b": 2}', [("E107", 1, 15)], {"a": {"x": 1}, "b": 2}),
    ('[{"a": 1}], {"b": 2}]', [("E107", 1, 10)], [{"a": 1}, {"b": 2}]),
    ('{"a": 1}\n "b": 2}', [("E107", 1, 8), ("E102", 1, 9)], {"a": 1, "b": 2}),
    ('{"a": "b', [("E106", 1, 7)], {"a": None}),
    ('{"a": "b}', [("E103", 1, 8)], {"a": "b"}),
    ('{"a": "b,\n "c": 1}', [("E103", 1, 8)], {"a": "b", "c": 1}),
    ('{"a": "b\n}', [("E103", 1, 8)], {"a": "b"}),
    ('{"a": "b\n "c": 1}', [("E106", 1, 7)], {"a": None, "c": 1}),
    ('{"a: x,\n "b": 2}', [("E106", 1, 2)], {"b": 2}),
    ('["a,\n 1, "b"]', [("E103", 1, 3)], ["a", 1, "b"]),
    ("['a,\n 1]", [("E106", 1, 2)], [None, 1]),
    ('{"a": ["x]\n}', [("E103", 1, 9)], {"a": ["x"]}),
    ('{"a": "<p>\n<a href="x">\n</p>",\n "b": 1}', [("E106", 1, 7)], {"a": None, "b": 1}),
    ('{"a": 1} /* x', [("E106", 1, 10)], {"a": 1}),
    ('{"a": 1, /* "b": 2}', [("E106", 1, 10)], {"a": 1}),
    # E107
    ('{"a": 1} {"b": 2}', [("E107", 1, 10)], {"a": 1}),
    ('{"a": 1}}]', [("E107", 1, 9)], {"a": 1}),
    ('"a": 1', [("E107", 1, 4)], "a"),
    ("1 2", [("E107", 1, 3)], 1),
    # E108
    ("[True, FALSE, None, NULL]", [("E108", 1, 2), ("E108", 1, 8), ("E108", 1, 15), ("E108", 1, 21)],
     [True, False, None, None]),
    ("[NaN, -Infinity, undefined]", [("E108", 1, 2), ("E108", 1, 7), ("E108", 1, 18)], [None, None, None]),
    ("[+1, .5, -.5e1, +.25]", [("E108", 1, 2), ("E108", 1, 6), ("E108", 1, 10), ("E108", 1, 17)], [1, 0.5, -5.0, 0.25]),
    ("[01, -007, 1., 0x1F, 1e400, -1e400, 1_000, 2024-01-02, -]",
     [("E108", 1, column) for column in (2, 6, 12, 16, 22, 29, 37, 44, 56)], [None] * 6 + [1000, None, None]),
    ('{"a": hello world, "b": http://x/y?z=1, "c": ${HOME}/x, "d": ObjectId("1f"), "e": 10px}',
     [("E108", 1, 7), ("E108", 1, 25), ("E108", 1, 46), ("E108", 1, 62), ("E108", 1, 83)],
     dict.fromkeys("abcde")),
    ('{"a": , "b":}', [("E108", 1, 6), ("E108", 1, 13)], {"a": None, "b": None}),
    ('{"a", "b": 1}', [("E108", 1, 5)], {"a": None, "b": 1}),
    ('{"a"\n "b": 1}', [("E108", 1, 5)], {"a": None, "b": 1}),
    ('{"a":\n "b": 1}', [("E108", 1, 6)], {"a": None, "b": 1}),
    ('{"a": "b": 1, "c": "d": }', [("E108", 1, 10), ("E108", 1, 23)], {"a": "b", "c": "d"}),
    ("{hello}", [("E108", 1, 2)], {}),
    ('{: 1, "b": 2}', [("E108", 1, 2)], {"b": 2}),
    ('{[1]: 2, {"x": 3}, "b": 4}', [("E108", 1, 2)], {"b": 4}),
    ('{"a": 1 2, "b": "c" "d", "e": 3 minutes}', [("E108", 1, 9), ("E108", 1, 21), ("E108", 1, 33)],
     {"a": 1, "b": "c", "e": 3}),
    ('["a": 1, "b": 2]', [("E108", 1, 5)], ["a", 1, "b", 2]),
    ('{"x": ["a": 1}], "b": 2}', [("E108", 1, 8)], {"x": [{"a": 1}], "b": 2}),
    ('["a": 1}', [("E106", 1, 1)], {"a": 1}),
    ('{"a": @, "b": 1 @ , "c": 2;}', [("E108", 1, 7), ("E108", 1, 17), ("E108", 1, 27)], {"a": None, "b": 1, "c": 2}),
    ('{"a":\xa01,\xa0"b": 2,\u200b"c": 3}', [("E108", 1, 6), ("E108", 1, 17)], {"a": 1, "b": 2, "c": 3}),
    ("}", [("E108", 1, 1)], None),
    (":", [("E108", 1, 1)], None),
    ("hello\nworld", [("E108", 1, 1)], None),
    ('{{"a": 1, "b": 2}', [("E108", 1, 2)], {"a": 1, "b": 2}),
    ('{"a": 1, { "b": 2}', [("E108", 1, 10)], {"a": 1, "b": 2}),
    ('{"a": "b": 1, "c": []}, "d": 2}', [("E108", 1, 7)], {"a": {"b": 1, "c": []}, "d": 2}),
    ('{"password": "b": 1, "c": []}, "d": 2}', [("E108", 1, 17), ("E107", 1, 29)],
     {"password": "b", "c": [], "d": 2}),
    # E109
    ('{"a": "b\n c", "d": "e\tf"}', [("E109", 1, 9), ("E109", 2, 13)], {"a": "b\n c", "d": "e\tf"}),
    ('["a\r\n\tb"]', [("E109", 1, 4)], ["a\r\n\tb"]),
    (r'["\d", "\'", "C:\new\dir", "\u12", "\`"]',
     [("E109", 1, 3), ("E109", 1, 9), ("E109", 1, 21), ("E109", 1, 29), ("E109", 1, 37)],
     [r"\d", "'", "C:\new\\dir", r"\u12", "`"]),
    ('["\\\n"]', [("E109", 1, 3)], ["\\\n"]),
    (r'["a\u0000b", "c' + "\0" + 'd"]', [("E109", 1, 4), ("E109", 1, 16)], ["a\ufffdb", "c\ufffdd"]),
    # E110
    ('{"a" 1, "b" {"c": 2}, "d" true}', [("E110", 1, 5), ("E110", 1, 12), ("E110", 1, 26)],
     {"a": 1, "b": {"c": 2}, "d": True}),
    ('{"a" = 1, "b"=>2, "c":= 3, "d":: 4, e = 5}',
     [("E110", 1, 6), ("E110", 1, 14), ("E110", 1, 23), ("E110", 1, 32), ("E103", 1, 37), ("E110", 1, 39)],
     {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}),
    # E111
    ('{"a": 1, "a": 2, "b": {"a": 3}, "a": 4}', [("E111", 1, 10), ("E111", 1, 33)], {"b": {"a": 3}, "a": 4}),
    ('{"a": 1, "\\u0061": 2}', [("E111", 1, 10)], {"a": 2}),
    # E112
    (r'["\ud800", "\udc00\ud800", "\ud83d\ude00"]', [("E112", 1, 3), ("E112", 1, 13)],
     ["\ufffd", "\ufffd\ufffd", "\U0001f600"]),
    # E114
    ("// only\n", [("E105", 1, 1), ("E114", 1, 1)], None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problems", "result"), RECOVERED, ids=[repr(case[0]) for case in RECOVERED])
def test_each_fault_is_one_located_problem_and_reading_goes_on(
    text: str, problems: list[tuple[str, int, int]], result: object
) -> None:
    """Every fault is reported once, at its place, and everything else is read."""
    document = read(text, "f")
    assert found(document) == problems
    assert repr(plain(document.root) if document.root else None) == repr(result)


@pytest.mark.parametrize("text", [case[0] for case in RECOVERED], ids=[repr(case[0]) for case in RECOVERED])
def test_fixes_repair_what_they_promise_and_nothing_else(text: str) -> None:
    """With all fixes made, only the faults without one are left, and the value is the one that was recovered."""
    document = read(text, "f")
    mended = read(apply(document.text, [edit for problem in document.problems for edit in problem.fix]), "f")
    left = [problem.code for problem in document.problems if not problem.fix]
    assert sorted(problem.code for problem in mended.problems) == sorted(left)
    assert repr(mended.root and plain(mended.root)) == repr(document.root and plain(document.root))


VALID = [
    "0", "-0", "-0.0", "1.5e-3", "1E+2", "1e-400", "12345678901234567890", '""', "null", "true", "false", "[]", "{}",
    " [ ] ", "\t\r\n{ }\n", '"\\u00e5\\ud83d\\ude00\\"\\\\\\/\\b\\f\\n\\r\\t"', '{"": {"": []}}',
    '["\u2028\x7f\U0001f600 \u00a0“x”"]',
    '{"a":{"b":[1,[2,[3]],{"c":null}]},"d":[true,false,null,"",[],{}]}', '[[],[[]],{"a":{}}]', '["//", "#", "/*"]',
]  # fmt: skip


@pytest.mark.parametrize("text", VALID)
def test_valid_json_is_read_as_the_standard_library_reads_it(text: str) -> None:
    """The same value of the same types, and no problem."""
    document = read(text, "f")
    assert document.problems == []
    assert repr(value(document)) == repr(json.loads(text))


def test_whole_numbers_may_have_4300_digits() -> None:
    """As many as Python reads; one more is a located problem."""
    for sign in ("", "-"):
        assert value(read(f"[{sign}{'9' * 4300}]", "f")) == [int(f"{sign}{'9' * 4300}")]
        document = read(f"[1, {sign}{'9' * 4301}, 2]", "f")
        assert found(document) == [("E113", 1, 5)]
        assert value(document) == [1, None, 2]


def test_a_lower_limit_of_the_interpreter_is_no_exception() -> None:
    """Python can be told to read fewer digits; then these are the problem."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(1000)
    try:
        assert found(read(f"[{'9' * 1001}]", "f")) == [("E113", 1, 2)]
    finally:
        sys.set_int_max_str_digits(before)


def nodes(text: str) -> list[Node]:
    """All nodes of a text that has a tree."""
    root = read(text, "f").root
    assert root is not None
    return list(walk(root))


def test_every_key_and_value_knows_its_place() -> None:
    """Spans count characters of the text without a byte order mark, quotes and brackets included."""
    text = '\ufeff{ "å😀" : [1.5, "x\\n"], "b": {"c": $ENV(d)} }'
    document = read(text.encode(), "f")
    body = text[1:]
    root = document.root
    assert isinstance(root, Object)
    assert (document.bom, document.text) == (True, body)
    texts = [body[node.start : node.end] for node in walk(root)]
    assert texts == [body, '[1.5, "x\\n"]', "1.5", '"x\\n"', '{"c": $ENV(d)}', "$ENV(d)"]
    assert [body[member.key.start : member.key.end] for member in root.members.values()] == ['"å😀"', '"b"']
    assert document.span(root.members["b"].key).start == body.index('"b"')


def test_the_members_of_an_object_stay_in_the_order_of_the_text() -> None:
    """A key given again moves to its last place."""
    root = read('{"a": 1, "b": 2, "a": 3}', "f").root
    assert isinstance(root, Object)
    assert list(root.members) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "wholes"),
    [
        ('{"a": [1, {}]}', [True, True, True]),
        ('{"a": [1,], "b": {"c" 1,}}', [True, True, True]),
        ('{"a": [1, {"b": 2', [False, False, False]),
        ('[{"a": 1]', [True, False]),
        ("[1, 2}", [False]),
        ('{"a": "x\n "b": 1}', [False]),
        ('{"a: x,\n "b": 2}', [False]),
        ('{"a": {"b": 1, [1]: 2}}', [True, False]),
        ('{"a": 1}, {"b": 2}', [False]),
        ('{"a": 1}, "b": 2}', [False]),
        ('{"a": 1}}', [True]),
        ('{"a": {"b": 1}}}', [True, True]),
        ('{"a": {"b": 1}, "c": 2}}', [False, False]),
        ('{\n "a": {"b": 1}, "c": 2\n}}', [True, True]),
        ('{\n "a": {\n  "b": 1}},\n "c": 2\n}\n', [False, False]),
        ('{\n "a": {\n  "b": {}},\n  "c": 2\n }\n}\n', [False, False, False]),
        ('{\n "a": {"b": 1,\n "c": 2\n}', [False, False]),
        ('{\n "a": {\n  "b": 1\n },\n "c": 2\n', [False, True]),
    ],
)  # fmt: skip
def test_what_may_hold_more_than_was_read_is_not_whole(text: str, wholes: list[bool]) -> None:
    """So that nobody reports a property as missing that stands in the unread part."""
    assert [node.whole for node in nodes(text) if isinstance(node, Array | Object)] == wholes


def test_a_value_that_cannot_be_read_is_a_broken_node() -> None:
    """It stands where the value stands, and its siblings are read."""
    root = read('{"a": hello, "b": "x\n}', "f").root
    assert isinstance(root, Object)
    places = [(type(member.value), member.value.start, member.value.end) for member in root.members.values()]
    assert places == [(Broken, 6, 11), (Broken, 18, 20)]


def test_a_bare_reference_is_a_string_without_quotes() -> None:
    """Its node spans the reference alone, so that later faults of the reference point at it."""
    root = read('{"a": $SECRET(x)\n}', "f").root
    assert isinstance(root, Object)
    node = root.members["a"].value
    assert isinstance(node, Scalar)
    assert (node.value, node.start, node.end) == ("$SECRET(x)", 6, 16)


def test_a_cut_off_file_is_one_fault() -> None:
    """All brackets that are open where the text ends are named by one problem, the innermost first."""
    problem = only('{"a": {"b": [1, 2')
    assert (problem.message, problem.span.start) == ("this list is never closed", 12)
    assert [(label.span.start, label.text) for label in problem.also] == [
        (6, "nor this object"),
        (0, "nor this object"),
    ]


def test_what_looks_like_a_space_is_one_fault_per_character() -> None:
    """A paste brings hundreds; all are marked, named and mended at once."""
    problem = only("[1,\xa0\xa02,\n\xa03]")
    assert problem.message == "the character U+00A0 (NO-BREAK SPACE) is not white space in JSON"
    assert (problem.span.start, problem.span.end) == (3, 5)
    assert [label.span.start for label in problem.also] == [8]
    assert [edit.text for edit in problem.fix] == ["  ", " "]


def test_problems_never_repeat_a_value() -> None:
    """A password that lost its quotes shows in no message, label or note, nor in the text of an edit."""
    secret = "hunter2"
    forms = ["{0}", "{0}!", "+{0}", "'{0}'", '{0}"', '"{0}', '"{0}"x"', "1{0}", "{0} {0}", "“{0}”", '"\\x{0}"',
             '"a\t{0}"', "0{0}", "@{0}", "${{{0}}}", "f('{0}')", "1 {0}", '"a" {0}', "`{0}`"]  # fmt: skip
    for form in forms:
        for frame in ('{{"smtp_password": {0}, "b": 1}}', "[{0}]", "{0}", '{{"a": {0}\n}}'):
            document = read(frame.format(form.format(secret)), "f")
            assert document.problems
            for problem in document.problems:
                texts = [problem.message, problem.label, *(note.text for note in problem.notes)]
                texts += [label.text for label in (*problem.also, *problem.related)] + [
                    edit.text for edit in problem.fix
                ]
                assert not any("hunter" in text for text in texts), problem
