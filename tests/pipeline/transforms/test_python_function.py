"""Functions of the project, called."""

from __future__ import annotations

import email
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from pipeline.entity import NI, Datetime, Entity
from pipeline.errors import TransformError, UnusableError
from pipeline.run import FlowError, portions
from pipeline.transforms.python import PythonConfig
from pipeline.transforms.python_function import PythonFunction, function_of
from sources.embedded import Embedded


def written(folder: Path, text: str, function: str = "shapes:greet") -> PythonFunction:
    """The function of a file of this text."""
    (folder / "shapes.py").write_text(text, encoding="utf-8")
    return function_of(str(folder), "welcome", function)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return {**entity, 'n': 2}", [{"_id": "a", "n": 2}]),
        ("return None", [{"_id": "a", "_filtered": True}]),
        ("return []", [{"_id": "a", "_filtered": True}]),
        ("return [entity, {'_id': 'b'}]", [{"_id": "a", "n": 1}, {"_id": "b"}]),
        ("return (entity,)", [{"_id": "a", "n": 1}]),
        ("yield entity; yield {'_id': 'b'}", [{"_id": "a", "n": 1}, {"_id": "b"}]),
        ("from collections import OrderedDict; return OrderedDict(entity)", [{"_id": "a", "n": 1}]),
    ],
)
def test_what_a_function_gives_goes_on(tmp_path: Path, body: str, expected: list[Entity]) -> None:
    """An entity, several of them, or none: then it is filtered out."""
    assert list(written(tmp_path, f"def greet(entity):\n    {body}\n")({"_id": "a", "n": 1})) == expected


def test_the_entity_that_came_in_stays_as_it_is(tmp_path: Path) -> None:
    """The function has a copy."""
    entity = {"_id": "a", "n": 1}
    assert list(written(tmp_path, "def greet(entity):\n    entity.pop('n')\n    return entity\n")(entity)) == [
        {"_id": "a"}
    ]
    assert entity == {"_id": "a", "n": 1}


@pytest.mark.parametrize(
    "value",
    [
        "\udc00",
        10**40,
        b"x",
        Decimal("1.10"),
        UUID(int=5),
        datetime(2026, 1, 2),  # noqa: DTZ001 - what a function may have put there
        NI("crm:42"),
        Datetime(5),
    ],
)
def test_what_is_within_an_entity_is_a_copy_too(tmp_path: Path, value: object) -> None:
    """A function that is called once more, as when a neighbour fails, has lists and objects as they came."""
    body = "def greet(entity):\n    entity['l'][0]['n'].append(3)\n    entity['o']['x'] = 1\n    return entity\n"
    greet = written(tmp_path, body)
    entity: Entity = {"_id": "a", "l": [{"n": [1, 2]}], "o": {}, "v": value}
    for _ in range(2):
        (made,) = greet(entity)
        assert made == {"_id": "a", "l": [{"n": [1, 2, 3]}], "o": {"x": 1}, "v": value}
        assert made["v"] is value
    assert entity == {"_id": "a", "l": [{"n": [1, 2]}], "o": {}, "v": value}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return entity['gone']", "`greet` failed at shapes.py:5: KeyError: 'gone'"),
        ("return inner()", "`greet` failed at shapes.py:2: ZeroDivisionError: division by zero"),
        ("return int('x')", "`greet` failed at shapes.py:5: ValueError: invalid literal for int() with base 10: 'x'"),
        ("yield entity['gone']", "`greet` failed at shapes.py:5: KeyError: 'gone'"),
        ("raise SystemExit(3)", "`greet` failed at shapes.py:5: SystemExit: 3"),
        ("return 5", "`greet` in shapes.py gave int, not an entity, a list of them or None"),
        ("return 'text'", "`greet` in shapes.py gave str, not an entity, a list of them or None"),
        ("return [entity, 5]", "`greet` in shapes.py gave int, not an entity, a list of them or None"),
    ],
)
def test_a_fault_names_the_line_of_the_function(tmp_path: Path, body: str, words: str) -> None:
    """The last line in the file of the project that it went through."""
    greet = written(tmp_path, f"def inner():\n    return 1 / 0\n\ndef greet(entity):\n    {body}\n")
    with pytest.raises(TransformError) as raised:
        greet({"_id": "a"})
    assert str(raised.value) == words


def test_a_fault_stops_the_flow_at_its_entity(tmp_path: Path) -> None:
    """The flow tells the words of the function, and which entity it was."""
    greet = written(tmp_path, "def greet(entity):\n    return entity if entity['_id'] == 'a' else entity['gone']\n")
    with pytest.raises(FlowError) as raised:
        list(portions(Embedded([{"_id": "a"}, {"_id": "b"}]), [greet], None))
    assert (raised.value.entity_id, raised.value.text) == ("b", "`greet` failed at shapes.py:2: KeyError: 'gone'")


@pytest.mark.parametrize(
    ("text", "function", "words"),
    [
        ("", "gone:greet", "pipe `welcome`: there is no file `gone.py` in the project's folder"),
        ("", "shapes:greet", "pipe `welcome`: `shapes.py` has no function `greet`"),
        ("greet = 5", "shapes:greet", "pipe `welcome`: `shapes.py` has something else than a function called `greet`"),
        ("x = 1\nimport gone_away", "shapes:greet", "shapes.py:2: ModuleNotFoundError: No module named 'gone_away'"),
        ("x = 1\nx =", "shapes:greet", "pipe `welcome`: shapes.py:2: invalid syntax"),
        ("raise SystemExit", "shapes:greet", "pipe `welcome`: shapes.py:1: SystemExit: "),
        ("", "../shapes:greet", "pipe `welcome`: `../shapes:greet` names no function"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_unusable(tmp_path: Path, text: str, function: str, words: str) -> None:
    """The pipe is not built; the words name pipe, file and line."""
    with pytest.raises(UnusableError) as raised:
        written(tmp_path, text, function)
    assert words in str(raised.value)


def test_a_file_stands_in_the_place_of_no_package(tmp_path: Path) -> None:
    """It may be called like one, and nothing else of the project can be imported by it."""
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "email.py").write_text("import email.message\ndef greet(entity):\n    return {'_id': email.__name__}\n")
    assert list(function_of(str(tmp_path), "p", "email:greet")({"_id": "a"})) == [{"_id": "email"}]
    assert sys.modules["email"] is email
    with pytest.raises(UnusableError, match="No module named 'beside'"):
        written(tmp_path, "import beside\n")
    assert not (tmp_path / "__pycache__").exists()


def test_classes_of_a_file_find_their_module(tmp_path: Path) -> None:
    """What a dataclass looks up by the name of its module is there."""
    text = (
        "from __future__ import annotations\nfrom dataclasses import asdict, dataclass, KW_ONLY\n\n"
        "@dataclass\nclass Made:\n    _: KW_ONLY\n    _id: str\n\n"
        "def greet(entity):\n    return asdict(Made(_id=entity['_id']))\n"
    )
    assert list(written(tmp_path, text)({"_id": "a"})) == [{"_id": "a"}]


def test_a_file_that_changed_is_run_again(tmp_path: Path) -> None:
    """One that is the same was run once, whoever names a function of it."""
    text = "seen = []\ndef greet(entity):\n    seen.append(1)\n    return {'_id': str(len(seen))}\nalso = greet\n"
    first = written(tmp_path, text)
    assert [list(each({})) for each in (first, written(tmp_path, text, "shapes:also"))] == [
        [{"_id": "1"}],
        [{"_id": "2"}],
    ]
    assert list(written(tmp_path, text + "\n")({})) == [{"_id": "1"}]


def test_what_is_declared_is_built(tmp_path: Path) -> None:
    """The project's folder and the name of the pipe come from the context."""

    class Context:
        pipe = "welcome"
        root = str(tmp_path)

    (tmp_path / "shapes.py").write_text("def greet(entity):\n    return entity\n")
    built = PythonConfig(type="python", function="shapes:greet").build(Context())  # type: ignore[arg-type]
    assert list(built({"_id": "a"})) == [{"_id": "a"}]
