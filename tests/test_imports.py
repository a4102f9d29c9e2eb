"""Imports go one way, pure rooms stay pure, and `import pipeline` brings nothing along."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import grimp
import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("mailweir", "pipeline", "sinks", "sources", "systems")

ONE_WAY = "mailweir -> sinks, sources -> systems -> pipeline, never back"
INSIDE = "inside pipeline: transforms -> dtl -> config -> component -> facts"
PORT = "a sink knows the port for mail, not what carries it"
PURE = "pure rooms stay pure"


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """The verdict of import-linter on the packages below `root`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def contract(name: str) -> dict[str, list[str]]:
    """A contract as pyproject.toml writes it."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    found: dict[str, list[str]] = next(each for each in linter["contracts"] if each["name"] == name)
    return found


def covered(module: str, rooms: list[str]) -> bool:
    """Whether a module is one of the rooms or lies in one."""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def test_every_contract_holds() -> None:
    """The import rules of pyproject.toml hold for the whole tree."""
    verdict = lint_imports(ROOT)
    assert verdict.returncode == 0, verdict.stdout
    assert " 0 broken" in verdict.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("pipeline/errors.py", "import systems.address", ONE_WAY),
        ("systems/address.py", "import sources.empty", ONE_WAY),
        ("sources/empty.py", "import sinks.null", ONE_WAY),
        ("pipeline/entity.py", "import pipeline.component", INSIDE),
        ("sinks/null.py", "import systems.smtp.config", PORT),
        ("pipeline/errors.py", "import socket", PURE),
        ("pipeline/config/tree.py", "from time import monotonic", PURE),
        ("pipeline/config/tree.py", "import pipeline.config.files", PURE),
    ],
)
def test_a_wrong_import_is_caught(tmp_path: Path, file: str, line: str, broken: str) -> None:
    """One import against a rule breaks the contract that states the rule, by name."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as module:
        module.write(f"{line}\n")
    verdict = lint_imports(tmp_path)
    assert verdict.returncode == 1, verdict.stdout
    assert f"{broken} BROKEN" in verdict.stdout


def test_every_module_is_pure_or_is_not() -> None:
    """Each module is in one list of the contract for pure rooms; a package that imports anything imports pure ones."""
    rooms = contract(PURE)
    pure, impure = rooms["source_modules"], rooms["forbidden_modules"]
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    for module in sorted(graph.modules):
        assert not (covered(module, pure) and covered(module, impure)), f"{module} is in both lists"
        if covered(module, pure) or covered(module, impure):
            continue
        # What is left are packages as such: their rooms are listed one by one.
        assert graph.find_children(module), f"{module} is in neither list"
        for imported in graph.find_modules_directly_imported_by(module):
            assert covered(imported, pure), f"{module} is in neither list and imports {imported}"


def test_what_calls_itself_pure_is_held_to_it() -> None:
    """A module whose docstring says `No I/O.` is in the list of pure rooms."""
    pure = contract(PURE)["source_modules"]
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            assert "No I/O." not in docstring or covered(module, pure), f"{module} says `No I/O.`"


def test_import_pipeline_is_light() -> None:
    """`import pipeline` loads no event loop and none of the packages above it."""
    script = "import json, sys, pipeline; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(answer.stdout))
    assert "pipeline" in loaded
    assert not loaded & {"asyncio", "sqlite3", "jinja2", "click", "mailweir", "sinks", "sources", "systems"}
