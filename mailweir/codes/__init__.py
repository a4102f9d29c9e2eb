"""The page of every code: what it means, and a wrong and a right example that the tests run.

A page is Markdown. `# E201 unknown property` is its title; the paragraphs up to `## Wrong` are its text. Under
`## Wrong` and `## Right` stands a project: each fenced block is a file, named after the language, such as
`json pipes/a.conf.json`. Blocks without a name are what a shell does in the project's folder (`sh`) and variables of
the process (`env`). The line `also: E301` names further codes that the wrong project gives. A page that begins with
`Reserved:` is kept for a code which nothing reports yet; it has no examples. The text of a code that only a run reports
begins with `At run time:`; its examples are a template (`jinja template`) or properties of a mail sink (`json sink`),
with an entity (`json entity`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Literal

_file_name = re.compile(r"([EW])([0-9]{3})\.md")
_title = re.compile(r"# ([EW][0-9]{3}) (\S.*)")
_fence = re.compile(r"```([a-z]+)(?: (\S+))?")
_asked: Final = re.compile(r"[EW]?([0-9]{3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """A file of an example; without a `file`, commands for a shell or variables of the process."""

    language: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class CodePage:
    """A page. `also` are codes that the wrong example gives beside its own."""

    code: str
    title: str
    reserved: bool
    text: str
    wrong: tuple[Block, ...] = ()
    right: tuple[Block, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def at_run_time(self) -> bool:
        """Whether a run reports it, for an entity, and a check never does."""
        return self.text.startswith("At run time:")

    @property
    def level(self) -> Literal["error", "warning"]:
        """As of the problems that have this code."""
        return "warning" if self.code.startswith("W") else "error"


@cache
def names() -> tuple[str, ...]:
    """All codes, in the order of their numbers. Reads no page."""
    found = [entry.name.removesuffix(".md") for entry in files(__name__).iterdir() if _file_name.fullmatch(entry.name)]
    return tuple(sorted(found, key=lambda code: code[1:]))


@cache
def codes() -> tuple[CodePage, ...]:
    """All pages, in the order of their numbers."""
    return tuple(_read(files(__name__) / f"{name}.md") for name in names())


def find(text: str) -> CodePage | None:
    """The page that someone asks for by `E201`, `e201` or `201`; no two pages have one number."""
    asked = _asked.fullmatch(text)
    if asked is None:
        return None
    pages = (files(__name__) / f"{letter}{asked[1]}.md" for letter in "EW")
    return next((_read(page) for page in pages if page.is_file()), None)


def is_code(text: str) -> bool:
    """Whether this is written like a code."""
    return _asked.fullmatch(text) is not None


def _read(entry: Traversable) -> CodePage:
    return parse(entry.read_text(encoding="utf-8"))


def parse(page: str) -> CodePage:
    """A page as facts; raises ValueError where it is not written as the head of this module says."""
    head, *body = page.splitlines()
    title = _title.fullmatch(head)
    if title is None:
        raise ValueError(f"not a title: {head}")
    sections: dict[str, list[str]] = {"": []}
    lines = sections[""]
    fenced = False
    for line in body:
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            lines = sections.setdefault(line[3:], [])
        else:
            lines.append(line)
    if fenced or not sections.keys() <= {"", "Wrong", "Right"}:
        raise ValueError(f"{title[1]}: a section or a block is not as it must be")
    text = "\n".join(sections[""]).strip()
    wrong, also = _blocks(sections.get("Wrong", ()))
    right, _ = _blocks(sections.get("Right", ()))
    return CodePage(title[1], title[2], text.startswith("Reserved:"), text, wrong, right, also)


def _blocks(lines: Sequence[str]) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The blocks of a section, and the codes after `also:`."""
    blocks: list[Block] = []
    also: list[str] = []
    rest: Iterator[str] = iter(lines)
    for line in rest:
        if fence := _fence.fullmatch(line):
            content = [inner + "\n" for inner in iter(lambda: next(rest), "```")]
            blocks.append(Block(fence[1], fence[2] or "", "".join(content)))
        elif line.startswith("also: "):
            also += re.findall(r"[EW][0-9]{3}", line)
        elif line:
            raise ValueError(f"not a block: {line}")
    return tuple(blocks), tuple(also)
