"""What the documents show is true: links lead somewhere, configurations pass the check, generated pages are fresh."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.settings import settings_of
from pipeline.config.text import read

top = Path(__file__).parent.parent
documents = sorted([*top.glob("*.md"), *(top / "docs").rglob("*.md"), *(top / "configs").rglob("*.md")])
fence = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
link = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(path: Path, language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language, each with the words behind it."""
    found = fence.findall(path.read_text(encoding="utf-8"))
    return [(words.strip(), text) for name, words, text in found if name == language]


@pytest.mark.parametrize("path", documents, ids=lambda path: str(path.relative_to(top)))
def test_links_lead_to_files(path: Path) -> None:
    """Every relative link names something that exists."""
    text = fence.sub("", path.read_text(encoding="utf-8"))
    for target in link.findall(text):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            assert (path.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("path", documents, ids=lambda path: str(path.relative_to(top)))
def test_configurations_that_are_shown_are_right(path: Path) -> None:
    """Each JSON block is a component, a list of components, or settings, and has no fault."""
    for words, text in blocks(path, "json"):
        document = read(text.encode(), "block.json")
        if words == "entity":
            continue
        if words == "settings":
            assert settings_of(document)[1] == []
            continue
        lookup = Lookup(take_env=False, take_secrets=False)
        errors = [p for p in compile_project([document], installed(), lookup).errors if p.code not in {"E304", "E305"}]
        assert errors == [], [(p.code, p.message) for p in errors]


def test_the_error_that_is_shown_is_the_one_that_is_printed() -> None:
    """README and the page on faults print what the command prints."""
    example = top / "tests" / "pipeline" / "config" / "worked" / "02-unknown-property"
    expected = (example / "expected.txt").read_text(encoding="utf-8")
    assert expected in (top / "README.md").read_text(encoding="utf-8")
    assert expected.split("\n\n")[0] in (top / "docs" / "faults.md").read_text(encoding="utf-8")


def test_generated_pages_are_fresh() -> None:
    """`make docs` has nothing to write."""
    done = subprocess.run(
        [sys.executable, str(top / "docs" / "build.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=top,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_property_of_every_type_has_words() -> None:
    """The reference has a description for each row but those of plain objects within."""
    for name in ("systems", "sources", "transforms", "sinks", "pipes"):
        text = (top / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
        empty = [line for line in text.splitlines() if line.startswith("| `") and line.endswith("|  |")]
        assert empty == []


def test_the_first_minute_of_the_readme_is_as_printed(tmp_path: Path) -> None:
    """The commands under `Sixty seconds` give what stands below them."""
    first, second = [text for _, text in blocks(top / "README.md", "console")]
    mailweir = str(Path(sys.executable).with_name("mailweir"))
    environ = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "LC_ALL": "C.UTF-8"}
    shown = subprocess.run(
        [mailweir, "demo", "--no-open"],
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    (folder,) = tmp_path.glob("mailweir-demo-*")
    printed = shown.stdout.replace(str(folder), "/tmp/mailweir-demo-x1")
    printed = re.sub(r"127\.0\.0\.1:\d+( \(1025 is taken\))?", "127.0.0.1:1025", printed)
    _, _, expected = first.partition("$ mailweir demo --no-open\n")
    assert printed.startswith(expected)
    assert "$ mailweir init my-mail --from-demo && cd my-mail\n" in second
    made = subprocess.run([mailweir, "init", "my-mail", "--from-demo"], cwd=tmp_path, capture_output=True, check=False)
    checked = subprocess.run([mailweir, "check"], cwd=tmp_path / "my-mail", capture_output=True, text=True, check=False)
    assert (shown.returncode, made.returncode, checked.returncode) == (0, 0, 0)
    assert second.endswith(f"$ mailweir check\n{checked.stderr}")
