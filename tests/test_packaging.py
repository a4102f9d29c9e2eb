"""What is built installs anywhere and runs there, every component has its entry point, every dependency is pinned."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath
from typing import Final, get_args

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mailweir import __version__
from pipeline.component import ComponentConfig
from pipeline.config.registry import groups

ROOT: Final = Path(__file__).parents[1]
PYPROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: Final = PYPROJECT["project"]
PACKAGES: Final = {"mailweir", "pipeline", "sinks", "sources", "systems"}

PROBE: Final = """
import importlib, json
from importlib.metadata import entry_points
from typing import get_args

packages = {name: importlib.import_module(name).__file__ for name in %(packages)r}
types = {}
for group in %(groups)r:
    for point in entry_points(group=group):
        config = point.load()
        types[f"{group} {point.name}"] = [isinstance(config, type), *get_args(config.model_fields["type"].annotation)]
print(json.dumps([packages, types]))
"""

PROJECT_FILE: Final = """[
  {"_id": "relay", "type": "system:smtp", "smtp_server": "127.0.0.1", "tls": "none"},
  {"_id": "hello", "type": "pipe",
   "source": {"type": "embedded", "entities": [{"_id": "1", "to": "ada@example.org"}]},
   "sink": {"type": "mail", "system": "relay", "mail_from": "weir@example.org", "recipients": "ada@example.org",
            "subject_template": "Hello", "body_template": "Hello {{ to }}"}}
]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel built from it, as for a release."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def files(wheel: Path) -> set[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment with the wheel and the distributions that it declares to need, and no more."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    command = [str(home / "bin" / "python"), "-m", "pip", "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name in needed(PROJECT["dependencies"]):
        for entry in top_level(name):
            if not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)
    return home / "bin"


def needed(requirements: Iterable[str]) -> set[str]:
    """The names of all distributions that these requirements bring in, by what each declares."""
    names: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        if canonicalize_name(wanted.name) in names:
            continue
        names.add(canonicalize_name(wanted.name))
        for text in distribution(wanted.name).requires or ():
            further = Requirement(text)
            if any(not further.marker or further.marker.evaluate({"extra": e}) for e in ("", *wanted.extras)):
                waiting.append(further)
    return names


def top_level(name: str) -> Iterator[Path]:
    """The files and folders that a distribution has put beside each other in this environment."""
    found = distribution(name)
    for part in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
        yield Path(str(found.locate_file(part)))


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with nothing of this process's environment."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONWARNINGS": "error"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_holds_the_five_packages(files: set[str]) -> None:
    """Nothing but the packages and the metadata: no tests, no documentation, no benchmarks."""
    names = {PurePosixPath(file).parts[0] for file in files}
    assert names == PACKAGES | {f"mailweir-{__version__}.dist-info"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= files
    assert f"mailweir-{__version__}.dist-info/licenses/LICENSE" in files


def test_every_module_is_in_the_wheel(files: set[str]) -> None:
    """What can be imported in the checkout can be imported where the wheel is installed."""
    modules = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert modules == {file for file in files if file.endswith(".py") and "/projects/" not in file}


def test_the_examples_travel_as_projects(files: set[str]) -> None:
    """`configs/` is in the wheel as `mailweir/projects/`, without what is faulty on purpose."""
    examples = {
        path.relative_to(ROOT / "configs").as_posix()
        for path in (ROOT / "configs").rglob("*")
        if path.is_file() and "faulty" not in path.relative_to(ROOT / "configs").parts
    }
    packed = {file.removeprefix("mailweir/projects/") for file in files if file.startswith("mailweir/projects/")}
    assert examples
    assert packed == examples


def test_the_wheel_says_what_pyproject_says(wheel: Path) -> None:
    """The entry points and the command of the wheel are those of pyproject.toml, word for word."""
    with zipfile.ZipFile(wheel) as archive:
        parser = ConfigParser(delimiters=("=",))
        parser.read_string(archive.read(f"mailweir-{__version__}.dist-info/entry_points.txt").decode())
    points = {section: dict(parser[section]) for section in parser.sections()}
    assert points == {"console_scripts": PROJECT["scripts"], **PROJECT["entry-points"]}
    assert set(PROJECT["entry-points"]) == {*groups, "pytest11"}


def test_the_source_distribution_can_be_tested(built: Path) -> None:
    """The source distribution holds all that `make test` and `make check` need."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {PurePosixPath(name).relative_to(f"mailweir-{__version__}").as_posix() for name in archive.getnames()}
    wanted = {"Makefile", "pyproject.toml", "requirements.lock", "LICENSE", "README.md", ".ci/run"}
    for folder in ("tests", "configs", "docs", "bench"):
        wanted |= {
            file.relative_to(ROOT).as_posix()
            for file in (ROOT / folder).rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        }
    assert wanted <= names


def test_the_installed_wheel_runs(installed: Path, tmp_path: Path) -> None:
    """In an environment of its own the command says what it can do and checks a project, away from the checkout."""
    (tmp_path / "hello.conf.json").write_text(PROJECT_FILE)
    page = run([installed / "mailweir", "--help"], tmp_path)
    assert (page.returncode, page.stderr) == (0, "")
    assert "check" in page.stdout
    verdict = run([installed / "mailweir", "check", "."], tmp_path)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_the_installed_wheel_finds_faults(installed: Path, tmp_path: Path) -> None:
    """The installed command tells a fault as the checkout does: code, file, line and column, exit 1."""
    (tmp_path / "hello.conf.json").write_text(PROJECT_FILE.replace('"smtp_server"', '"smtp_sever"'))
    verdict = run([installed / "mailweir", "check", "."], tmp_path)
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert "hello.conf.json:2:43" in verdict.stdout + verdict.stderr


def test_installed_modules_and_types(installed: Path, tmp_path: Path) -> None:
    """There every package comes from that environment, and every entry point is a class of the type it is named for."""
    probe = PROBE % {"packages": sorted(PACKAGES), "groups": sorted(groups)}
    answer = run([installed / "python", "-c", probe], tmp_path)
    assert answer.returncode == 0, answer.stderr
    packages, types = json.loads(answer.stdout)
    for file in packages.values():
        assert Path(file).is_relative_to(installed.parent)
    expected = {
        f"{group} {name}": [True, f"system:{name}" if groups[group] == "system" else name]
        for group, points in PROJECT["entry-points"].items()
        if group in groups
        for name in points
    }
    assert types == expected


def test_a_folder_of_the_user_hides_nothing(installed: Path, tmp_path: Path) -> None:
    """`python -m mailweir` works where the user has a package of his own called `pipeline`."""
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").write_text("raise RuntimeError('the wrong one')\n")
    (tmp_path / "hello.conf.json").write_text(PROJECT_FILE)
    verdict = run([installed / "python", "-m", "mailweir", "check", "."], tmp_path)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def config_classes(room: str) -> Iterator[str]:
    """The config classes below a package that have a type of their own, as entry points name them."""
    for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            own = isinstance(value, type) and issubclass(value, ComponentConfig) and value.__module__ == module.name
            if own and get_args(value.model_fields["type"].annotation):
                yield f"{module.name}:{name}"


def test_every_component_has_an_entry_point() -> None:
    """A config class with a type of its own can be named in a configuration: pyproject.toml lists it."""
    declared = {point for group in groups for point in PROJECT["entry-points"][group].values()}
    rooms = ("systems", "sources", "sinks", "pipeline.transforms")
    assert {name for room in rooms for name in config_classes(room)} == declared


def lock() -> dict[str, tuple[str, int]]:
    """Name → version and number of hashes, by requirements.lock."""
    pinned = {}
    for entry in re.split(r"(?m)^(?=[a-zA-Z0-9])", (ROOT / "requirements.lock").read_text())[1:]:
        name, _, version = entry.split(maxsplit=1)[0].partition("==")
        pinned[str(canonicalize_name(name))] = (version, len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)))
    return pinned


def test_the_lock_pins_every_dependency() -> None:
    """What pyproject.toml asks for, to run, build or develop, is in requirements.lock in a version that serves."""
    asked = [
        *PROJECT["dependencies"],
        *PYPROJECT["build-system"]["requires"],
        *(text for extra in PROJECT["optional-dependencies"].values() for text in extra),
        *(text for group in PYPROJECT["dependency-groups"].values() for text in group),
    ]
    pinned = lock()
    for requirement in map(Requirement, asked):
        version, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is not met by {version}"


def test_the_lock_is_whole_and_names_no_place() -> None:
    """Every pinned version has hashes, all that it needs is pinned too, and no host or path of a machine is named."""
    pinned = lock()
    assert all(hashes for _, hashes in pinned.values())
    assert needed(PROJECT["dependencies"]) <= set(pinned)
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"://|--(extra-)?index-url|--find-links|file:|(?m:^\s*[/~.])", text)
