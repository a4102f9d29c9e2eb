"""Good configurations with a few characters changed: how many faults they have, and what the repairs make of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mailweir.cli.checking import Checked, check_paths
from mailweir.cli.repairing import Plan, plan
from pipeline.config.load import Options

CONFIGS = Path(__file__).parents[3] / "configs"
FILES = [path for name in ("alerts", "digest", "welcome") for path in sorted((CONFIGS / name).rglob("*.conf.json"))]
SIGNS = '{}[]:,"'
PIECES = [*SIGNS, *"'\\;= x1\n", "", "//", "None", "True", "$ENV(x)", "$ENV("]


def checked(file: Path, replaced: Mapping[Path, bytes]) -> Checked:
    """A check of the project of a file, in which files say something else than on disk."""
    root = file.parents[1]
    environ = {"ON_CALL": "a@example.com", "MAILWEIR_SECRET_SMTP_PASSWORD": "x"}
    return check_paths([root], Options(environ=environ, here=root, run_secrets=root / "none", replaced=replaced))


def repaired(file: Path, text: str) -> tuple[Checked, Plan]:
    """What is found when the file says this, and what the repairs make of it. Nothing is written."""

    def again(replaced: Mapping[Path, bytes]) -> Checked:
        return checked(file, {file: text.encode(), **replaced})

    before = again({})
    return before, plan(before, again)


def result(file: Path, text: str, made: Plan) -> str:
    """What the file says after the repairs."""
    return made.after.get(made_name(file), text.encode()).decode()


def made_name(file: Path) -> str:
    """The name of a file in reports."""
    return file.relative_to(file.parents[1]).as_posix()


def errors(found: Checked) -> list[str]:
    """Where each error is, and what it says."""
    return [f"{p.span.file}:{p.span.start} {p.code} {p.message}" for p in found.problems if p.level == "error"]


def mutation(text: str, rng: random.Random) -> str:
    """The text with some characters, most of them signs, gone, doubled or replaced."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.choice([rng.randrange(len(text)), rng.choice([i for i, c in enumerate(text) if c in SIGNS])])
        end = at + rng.choice([1, 1, 1, 2, 10])
        text = text[:at] + rng.choice(["", text[at:end] * 2, rng.choice(PIECES)]) + text[end:]
    return text


def slips(text: str) -> Iterator[tuple[int, str]]:
    """What is left when a sign is gone, and when it stands twice."""
    for at, character in enumerate(text):
        if character in SIGNS:
            yield at, text[:at] + text[at + 1 :]
            yield at, text[: at + 1] + text[at:]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parents[1].name}/{file.name}")
def test_the_files_that_are_changed_are_right_and_are_not_touched(file: Path) -> None:
    """Of a good file nothing is repaired."""
    before, made = repaired(file, file.read_text())
    assert errors(before) == []
    assert (made.repairs, made.after, made.left) == ([], {}, [])


@pytest.mark.parametrize("seed", range(12))
def test_repairs_end_and_never_do_harm(seed: int) -> None:
    """Never more errors than before, nothing left to do, and JSON that can be parsed where each fault had a repair."""
    rng = random.Random(seed)
    for _ in range(25):
        file = rng.choice(FILES)
        text = mutation(file.read_text(), rng)
        before, made = repaired(file, text)
        after = result(file, text, made)
        assert len(errors(made.checked)) <= len(errors(before)), text
        assert made.left == [], text
        assert made.after.keys() <= {problem.span.file for problem in before.problems if problem.fix}, text
        assert not any(problem.fix for problem in made.checked.problems), text
        again, second = repaired(file, after) if set(made.after) <= {made_name(file)} else (made.checked, made)
        assert errors(again) == errors(made.checked), text
        assert second is made or second.after == {}, text
        syntax = [problem for problem in before.problems if problem.code.startswith("E1")]
        if all(problem.fix for problem in syntax):
            json.loads(after)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parents[1].name}/{file.name}")
def test_one_sign_gone_or_doubled_is_one_fault(file: Path) -> None:
    """Whatever it tears apart; and where it is repaired, the file says what it said before."""
    text = file.read_text()
    rng = random.Random(file.name)
    for at, wrong in rng.sample(list(slips(text)), 40):
        before, made = repaired(file, wrong)
        found = errors(before)
        assert len(found) <= 1, (wrong[max(0, at - 40) : at + 40], found)
        if made.after:
            assert json.loads(result(file, wrong, made)) == json.loads(text), wrong[max(0, at - 40) : at + 40]
