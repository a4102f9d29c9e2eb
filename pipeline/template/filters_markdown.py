"""Markdown as people write it in data, made into HTML that is safe in a mail. No I/O.

Paragraphs, headings, lists, quotes, code, rules, emphasis and links. Whatever else stands in the text is shown as it
is, HTML too; a link leads to the web, to an address or to a telephone, or is no link. Each character is looked at a
bounded number of times, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.template.values import escape_text

# Quotes and lists within each other; what is deeper is shown as text.
_DEEPEST: Final = 8

_HEADING: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*(?<!\\)#*[ \t]*$")
_RULE: Final = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_QUOTE: Final = re.compile(r" {0,3}> ?")
_ITEM: Final = re.compile(r"( {0,3})(?:([-*+])|(\d{1,9})[.)])(?:[ \t]+|$)")
_MARK: Final = re.compile(r"\\.|`+|\*{1,3}|_{1,3}|\[|\]|<|  +\n|\n|https?://", re.DOTALL)
_TARGET: Final = re.compile(r"\([ \t]*(?:<([^<>\n]*)>|([^\s()<>]+))(?:[ \t]+\"[^\"\n]*\")?[ \t]*\)")
_AUTOLINK: Final = re.compile(r"<((?:https?://|mailto:)[^\s<>]{1,2000}|[\w.+-]{1,64}@[\w.-]{1,255})>")
_BARE: Final = re.compile(r"https?://[^\s<>\"'`*\[\]]{1,2000}")
_SAFE: Final = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_TAGS: Final = {"*": "em", "_": "em", "**": "strong", "__": "strong"}


def markdown(source: str) -> str:
    """HTML for a text."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    return "\n".join(_blocks(lines, 0))


def _blocks(lines: Sequence[str], depth: int) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        fence = _FENCE.match(line)
        heading = _HEADING.match(line)
        end = at + 1
        if not line.strip():
            pass
        elif fence:
            while end < len(lines) and not lines[end].lstrip().startswith(fence[1]):
                end += 1
            yield f"<pre><code>{escape_text(''.join(each + chr(10) for each in lines[at + 1 : end]))}</code></pre>"
            end += 1
        elif heading:
            level = len(heading[1])
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
        elif _RULE.match(line):
            yield "<hr>"
        elif _QUOTE.match(line) and depth < _DEEPEST:
            while end < len(lines) and _QUOTE.match(lines[end]):
                end += 1
            inner = "\n".join(_blocks([_QUOTE.sub("", each, count=1) for each in lines[at:end]], depth + 1))
            yield f"<blockquote>\n{inner}\n</blockquote>"
        elif (item := _ITEM.match(line)) and depth < _DEEPEST:
            end = _list_end(lines, at, item)
            yield _list(lines[at:end], item, depth)
        else:
            while end < len(lines) and lines[end].strip() and not _begins(lines[end]):
                end += 1
            paragraph = "\n".join(each.lstrip(" ") for each in lines[at:end])
            yield f"<p>{_inline(paragraph.rstrip(' '))}</p>"
        at = end


def _begins(line: str) -> bool:
    """Whether a line ends a paragraph by beginning something else."""
    return any(pattern.match(line) for pattern in (_FENCE, _HEADING, _RULE, _QUOTE, _ITEM))


def _same_kind(item: re.Match[str], other: re.Match[str]) -> bool:
    return (item[2] is None) == (other[2] is None)


def _list_end(lines: Sequence[str], at: int, first: re.Match[str]) -> int:
    """Where a list ends: at a line that is no item of it, not indented, and follows an empty line or begins a block."""
    end = at + 1
    while end < len(lines):
        line = lines[end]
        item = _ITEM.match(line)
        if line.strip() and not line.startswith("  "):
            if item and not _RULE.match(line):
                if not _same_kind(first, item):
                    break
            elif not lines[end - 1].strip() or _begins(line):
                break
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return end


def _list(lines: Sequence[str], first: re.Match[str], depth: int) -> str:
    tag = "ul" if first[2] else "ol"
    start = f' start="{int(first[3])}"' if first[3] and int(first[3]) != 1 else ""
    items: list[list[str]] = []
    for line in lines:
        item = _ITEM.match(line)
        if item and len(item[1]) < 2:
            items.append([line[item.end() :]])
            indent = item.end()
        else:
            blank = len(line) - len(line.lstrip(" "))
            items[-1].append(line[min(blank, indent) :])
    # An empty line between two items, or within one, sets all of them apart.
    loose = any(not line.strip() for lines in (*items[:-1], items[-1][:-1]) for line in lines)
    shown = []
    for part in items:
        blocks = list(_blocks(part, depth + 1))
        if not loose and blocks and blocks[0].startswith("<p>"):
            blocks[0] = blocks[0][3:-4]
        shown.append(f"<li>{chr(10).join(blocks)}</li>")
    return f"<{tag}{start}>\n{chr(10).join(shown)}\n</{tag}>"


class _Line:
    """The pieces of a paragraph, with the marks that may turn out to have opened something."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.open: dict[str, int] = {}
        self.brackets: list[int] = []

    def close(self, mark: str) -> None:
        """Make a pair of the mark that opened and this one."""
        index = self.open.pop(mark)
        self.out[index] = f"<{_TAGS[mark]}>"
        self.out.append(f"</{_TAGS[mark]}>")
        self.forget(index)

    def forget(self, index: int) -> None:
        """What was opened later can no longer be closed: pairs do not overlap."""
        self.open = {mark: at for mark, at in self.open.items() if at < index}
        while self.brackets and self.brackets[-1] > index:
            self.brackets.pop()

    def link(self, target: str, shown: Sequence[str]) -> None:
        """Add a link; to a place that a mail should not lead to, only its text."""
        safe = _SAFE.match(target)
        self.out += [f'<a href="{escape_text(target)}">', *shown, "</a>"] if safe else shown


def _inline(text: str) -> str:
    line = _Line()
    at = 0
    unclosed: set[int] = set()
    while (found := _MARK.search(text, at)) is not None:
        line.out.append(escape_text(text[at : found.start()]))
        at = _mark(line, text, found, unclosed)
    line.out.append(escape_text(text[at:]))
    return "".join(line.out)


def _mark(line: _Line, text: str, found: re.Match[str], unclosed: set[int]) -> int:
    """Take one mark; gives where the text goes on."""
    mark, start, end = found[0], found.start(), found.end()
    if mark[0] == "\\":
        line.out.append("<br>\n" if mark[1] == "\n" else escape_text(mark[1] if not mark[1].isalnum() else mark))
        return end
    if mark[0] == "`":
        return _code(line, text, mark, end, unclosed)
    if mark[0] in "*_":
        _emphasis(line, mark, text[start - 1 : start], text[end : end + 1])
        return end
    if mark[-1] == "\n":
        line.out.append("<br>\n" if len(mark) > 1 else "\n")
        return end
    if mark == "[":
        line.brackets.append(len(line.out))
        line.out.append("[")
        return end
    if mark == "]":
        return _link(line, text, end)
    linked = _AUTOLINK.match(text, start) if mark == "<" else _BARE.match(text, start)
    if linked is None:
        line.out.append(escape_text(mark))
        return end
    if mark == "<":
        target = linked[1]
        line.link(target if ":" in target else f"mailto:{target}", [escape_text(target)])
        return linked.end()
    target = linked[0].rstrip(".,;:!?)]")
    line.link(target, [escape_text(target)])
    return start + len(target)


def _code(line: _Line, text: str, ticks: str, start: int, unclosed: set[int]) -> int:
    """A code span; `unclosed` are the lengths of ticks that no later ticks close."""
    if len(ticks) not in unclosed:
        closing = re.compile(rf"(?<!`){ticks}(?!`)").search(text, start)
        if closing is not None:
            line.out.append(f"<code>{escape_text(text[start : closing.start()].strip(' '))}</code>")
            return closing.end()
        unclosed.add(len(ticks))
    line.out.append(ticks)
    return start


def _emphasis(line: _Line, mark: str, before: str, after: str) -> None:
    within_word = mark[0] == "_" and before.isalnum() and after.isalnum()
    if len(mark) == 3:
        # Both at once: what was opened last is closed first.
        both = sorted((mark[:1], mark[:2]), key=lambda each: -line.open.get(each, -1))
        for each in both if all(each in line.open for each in both) else (mark[:2], mark[:1]):
            _emphasis(line, each, before, after)
        return
    if mark in line.open and before.strip() and not (mark[0] == "_" and after.isalnum()):
        line.close(mark)
        return
    if after.strip() and not within_word and mark not in line.open:
        line.open[mark] = len(line.out)
    line.out.append(mark)


def _link(line: _Line, text: str, end: int) -> int:
    target = _TARGET.match(text, end) if line.brackets else None
    if target is None:
        if line.brackets:
            line.brackets.pop()
        line.out.append("]")
        return end
    index = line.brackets[-1]
    # A link within a link is none.
    shown = [piece for piece in line.out[index + 1 :] if not piece.startswith(("<a ", "</a>"))]
    line.forget(index - 1)
    line.brackets.clear()
    del line.out[index:]
    line.link(target[1] or target[2] or "", shown)
    return target.end()
