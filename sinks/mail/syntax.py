"""Faults in the syntax of a template, with the place that Jinja2 does not give. No I/O.

Jinja2 names a line at best. The tag that is wrong is found by lexing the template and keeping a stack of blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.config.near import near

paired = frozenset({"for", "if", "block", "filter", "macro", "call", "set", "with", "autoescape", "raw"})
within_block = {"else": ("if", "for"), "elif": ("if",)}
single = frozenset({"include", "extends", "import", "from", "do"})


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """A fault from `start` to `end` of the template's text."""

    message: str
    start: int
    end: int
    label: str = ""
    help: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A `{% … %}`: its first word and its place."""

    word: str
    start: int
    end: int
    assigns: bool


_environment = ImmutableSandboxedEnvironment(keep_trailing_newline=True)
_message_name = re.compile(r"[Uu]nknown tag '([^']*)'")


def syntax_fault(source: str) -> TemplateFault | None:
    """The first fault of a template's syntax."""
    try:
        _environment.parse(source)
    except TemplateSyntaxError as error:
        return _block_fault(source) or _line_fault(source, error)
    except RecursionError:
        return TemplateFault("this template is nested too deep", 0, min(len(source), 1))
    return None


def _tags(source: str) -> list[Tag]:
    tags: list[Tag] = []
    offset, begin, word, assigns = 0, -1, "", False
    for _, kind, value in _environment.lex(source):
        if kind in {"block_begin", "raw_begin"}:
            begin, word, assigns = offset, "raw" if kind == "raw_begin" else "", False
        elif begin >= 0 and kind == "name" and not word:
            word = value
        elif begin >= 0 and kind == "operator" and value == "=":
            assigns = True
        offset += len(value)
        if kind == "raw_end":
            tags.append(Tag("endraw", offset - len(value), offset, assigns=False))
        elif begin >= 0 and kind in {"block_end", "raw_begin"}:
            tags.append(Tag(word, begin, offset, assigns))
            begin = -1
    return tags


def _block_fault(source: str) -> TemplateFault | None:
    try:
        tags = _tags(source)
    except TemplateSyntaxError:
        return None
    open_tags: list[Tag] = []
    for tag in tags:
        fault = _step(open_tags, tag)
        if fault:
            return fault
    if not open_tags:
        return None
    tag = open_tags[-1]
    what = {"for": "repeats", "if": "decides on"}.get(tag.word, "covers")
    return TemplateFault(
        f"`{{% {tag.word} %}}` is never closed",
        tag.start,
        tag.end,
        "opened here",
        (f"add `{{% end{tag.word} %}}` after the part it {what}",),
    )


def _step(open_tags: list[Tag], tag: Tag) -> TemplateFault | None:
    word = tag.word
    if word in paired:
        if not (word == "set" and tag.assigns):
            open_tags.append(tag)
        return None
    if word.startswith("end") and word[3:] in paired:
        if open_tags and open_tags[-1].word == word[3:]:
            open_tags.pop()
            return None
        if not open_tags:
            return TemplateFault(f"`{{% {word} %}}` closes nothing", tag.start, tag.end, "no open block here")
        inner = open_tags[-1].word
        message = f"`{{% {word} %}}` stands where `{{% end{inner} %}}` is due"
        return TemplateFault(message, tag.start, tag.end, f"`{{% {inner} %}}` is still open")
    if word in within_block:
        if open_tags and open_tags[-1].word in within_block[word]:
            return None
        return TemplateFault(f"`{{% {word} %}}` stands outside a block", tag.start, tag.end)
    if word in single:
        return None
    known = [*sorted(paired), *(f"end{name}" for name in sorted(paired)), *within_block]
    close = near(word, known) if word else []
    help_text = (f"did you mean `{{% {close[0]} %}}`?",) if close else ()
    return TemplateFault(f"there is no tag `{{% {word} %}}`", tag.start, tag.end, "not a tag", help_text)


def _line_fault(source: str, error: TemplateSyntaxError) -> TemplateFault:
    """What Jinja2 says, on its line; narrowed to the tag when the line has only one."""
    lines = source.split("\n")
    number = min(max(error.lineno, 1), len(lines))
    start = sum(len(line) + 1 for line in lines[: number - 1])
    line = lines[number - 1]
    spots = list(re.finditer(r"\{[{%#]", line))
    first = start + (spots[0].start() if len(spots) == 1 else 0)
    end = start + len(line)
    if len(spots) == 1 and (close := re.search(r"[}%#]\}", line[spots[0].start() :])):
        end = first + close.end()
    message = (error.message or "this template cannot be read").rstrip(".")
    return TemplateFault(f"the template cannot be read: {message[0].lower()}{message[1:]}", first, max(end, first + 1))
