"""Reading a template: its tree with the place of every node, or the fault of its syntax. No I/O.

Jinja2 knows lines at best. Here each token carries, in the place of its line, the offset at which it begins; the parser
hands that on to the nodes, and to what it says when it gives up. Blocks that do not match are found by keeping a stack
of the tags, which tells more than where the parser noticed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, cast

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token as JinjaToken
from jinja2.lexer import TokenStream
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.config.faults import count
from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.template.faults import Place, TemplateFault, plain_lines
from pipeline.template.limits import LIMITS, Limits

paired: Final = frozenset({"for", "if", "block", "filter", "macro", "call", "set", "with", "autoescape", "raw"})
within_block: Final = {"else": ("if", "for"), "elif": ("if",)}
single: Final = frozenset({"include", "extends", "import", "from", "print"})

# Python's own compiler gives up at 20 blocks within each other, and some tags become two.
MOST_BLOCKS: Final = 8
MOST_NESTING: Final = 100

_CLOSED_BY: Final = {"variable_begin": "}}", "block_begin": "%}"}
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
# How Jinja2 calls what people write.
_WRITTEN: Final = (
    ("end of print statement", "}}"),
    ("begin of print statement", "{{"),
    ("end of statement block", "%}"),
    ("begin of statement block", "{%"),
    ("end of template", "the end"),
)
_blank: Final = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a template, from `start` to `end`."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A `{% … %}`: its first word and its place."""

    word: str
    start: int
    end: int
    assigns: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    """A template as read: its text with plain line ends, its tree, and its tokens without blanks."""

    name: str
    text: str
    tree: nodes.Template
    tokens: tuple[Token, ...]
    starts: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Index the tokens by where they begin."""
        object.__setattr__(self, "starts", tuple(token.start for token in self.tokens))

    def at(self, offset: int) -> int:
        """The index of the token at an offset."""
        return max(bisect_right(self.starts, offset) - 1, 0)

    def place(self, node: nodes.Node) -> Place:
        """The characters that a node is written with."""
        start, end = self._extent(node)
        return Place(self.name, start, max(start + 1, end))

    def _extent(self, node: nodes.Node) -> tuple[int, int]:
        children = [self._extent(child) for child in node.iter_child_nodes()]
        # Jinja2 gives some nodes no line, and comparisons that of what comes after them.
        if not children or not (node.lineno is None or isinstance(node, nodes.Compare)):
            children.append(self._own(node, self.at(node.lineno or 0)))
        return min(start for start, _ in children), max(end for _, end in children)

    def _own(self, node: nodes.Node, index: int) -> tuple[int, int]:
        """The token at which a node begins, and what belongs to it besides its children."""
        start, end = self.tokens[index].start, self.tokens[index].end
        if isinstance(node, nodes.Getattr):
            end = self.tokens[min(index + 1, len(self.tokens) - 1)].end
        elif isinstance(node, nodes.Call | nodes.Getitem | nodes.List | nodes.Dict):
            end = self._closing(index)
        elif isinstance(node, nodes.Filter | nodes.Test):
            # The place of a test is the word `is`.
            while self.tokens[index].text in {"is", "not"} and index + 1 < len(self.tokens):
                index += 1
            end = self.tokens[index].end
            if index + 1 < len(self.tokens) and self.tokens[index + 1].text == "(":
                end = self._closing(index + 1)
        return start, end

    def _closing(self, index: int) -> int:
        """Where the bracket that a token opens is closed again."""
        depth = 0
        for token in self.tokens[index:]:
            depth += (token.text in _OPEN) - (token.text in _OPEN.values())
            if depth <= 0:
                return token.end
        return self.tokens[index].end

    def tag(self, offset: int) -> Place:
        """The `{% … %}` or `{{ … }}` around an offset."""
        first = last = self.at(offset)
        while first and not self.tokens[first].kind.endswith("_begin"):
            first -= 1
        while last + 1 < len(self.tokens) and not self.tokens[last].kind.endswith("_end"):
            last += 1
        # Blanks behind `-%}` belong to the token, not to the tag.
        end = self.tokens[last].start + len(self.tokens[last].text.rstrip())
        return Place(self.name, self.tokens[first].start, end)

    def raw(self, node: nodes.Node) -> str:
        """What was written, from `{{` to `}}`."""
        place = self.tag(node.lineno)
        return self.text[place.start : place.end]


class Grammar(ImmutableSandboxedEnvironment):
    """Jinja2's grammar, with offsets in the place of lines."""

    def tree(self, text: str, tokens: Iterable[Token]) -> nodes.Template:
        """The tree of a template with these tokens."""
        found = Parser(cast("Environment", _Lexed(self, tokens)), text).parse()
        return cast("nodes.Template", found.set_environment(self))

    def tokens(self, source: str) -> Iterator[Token]:
        """Every token with its place; a fault has the offset as its line. The text has plain line ends."""
        at = begin = 0
        found = self.lexer.tokeniter(source, None)
        while True:
            try:
                _, kind, text = next(found)
            except StopIteration:
                return
            except TemplateSyntaxError as error:
                # Of a comment without an end its beginning is shown.
                error.lineno = begin if (error.message or "").startswith("Missing end") else at
                raise
            if not source.startswith(text, at):
                # `{%-` takes the blanks before it out of the text, and they are no token.
                blank = _blank.match(source, at)
                end = blank.end() if blank else at
                while at < end and not source.startswith(text, at):
                    at += 1
            begin = at
            yield Token(kind, text, at, at + len(text))
            at += len(text)


class _Lexed:
    """What the parser asks of an environment, for a template whose tokens are known."""

    def __init__(self, grammar: Grammar, tokens: Iterable[Token]) -> None:
        self._grammar = grammar
        self._tokens = tokens

    def _tokenize(self, source: str, name: str | None, filename: str | None, state: str | None) -> TokenStream:
        offsets = ((token.start, token.kind, token.text) for token in self._tokens)
        wrapped: Iterator[JinjaToken] = self._grammar.lexer.wrap(offsets, name, filename)
        return TokenStream(wrapped, name, filename)

    def iter_extensions(self) -> Iterator[object]:
        return iter(())


_GRAMMAR: Final = Grammar(optimized=False)
_SKIPPED: Final = frozenset({"whitespace", "comment", "comment_begin", "comment_end"})


def parse(source: str, name: str = "", limits: Limits = LIMITS) -> Parsed | TemplateFault:
    """The template, or the first fault of its syntax."""
    if len(source) > limits.source:
        message = f"this template has more than {count(limits.source)} characters"
        return TemplateFault("E410", message, Place(name, 0, 1))
    text = plain_lines(source)
    try:
        tokens: list[Token] = []
        for token in _GRAMMAR.tokens(text):
            if token.kind not in _SKIPPED:
                tokens.append(token)
            if len(tokens) > limits.tokens:
                message = f"this template has more than {count(limits.tokens)} words and signs"
                return TemplateFault("E410", message, Place(name, token.start, token.end), "here it is too much")
        tree = _GRAMMAR.tree(text, tokens)
    except TemplateSyntaxError as error:
        return _block_fault(text, name) or _said(text, name, error)
    except ValueError:
        # An integer that Python does not read: more than 4,300 digits.
        return TemplateFault("E410", "this template has a number of thousands of digits", Place(name, 0, 1))
    except RecursionError:
        return _deep(Place(name, 0, 1))
    parsed = Parsed(name, text, tree, tuple(tokens))
    too_deep = _too_deep(tree)
    return _deep(parsed.tag(too_deep.lineno)) if too_deep else parsed


def _deep(place: Place) -> TemplateFault:
    return TemplateFault("E410", "this template is nested too deep", place, "here it is too much")


def _too_deep(tree: nodes.Template) -> nodes.Node | None:
    """The first node with too many blocks, or too many expressions, around it."""
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, blocks, depth = waiting.pop()
        blocks += isinstance(node, nodes.For | nodes.Include | nodes.Block | nodes.FilterBlock | nodes.Macro)
        if blocks > MOST_BLOCKS or depth > MOST_NESTING:
            return node
        waiting.extend((child, blocks, depth + 1) for child in node.iter_child_nodes())
    return None


def _tags(text: str) -> list[Tag]:
    tags: list[Tag] = []
    begin, word, assigns = -1, "", False
    for token in _GRAMMAR.tokens(text):
        if token.kind in {"block_begin", "raw_begin"}:
            begin, word, assigns = token.start, "raw" if token.kind == "raw_begin" else "", False
        elif begin >= 0 and token.kind == "name" and not word:
            word = token.text
        elif begin >= 0 and token.kind == "operator" and token.text == "=":
            assigns = True
        end = token.start + len(token.text.rstrip())
        if token.kind == "raw_end":
            tags.append(Tag("endraw", token.start, end, assigns=False))
        elif begin >= 0 and token.kind in {"block_end", "raw_begin"}:
            tags.append(Tag(word, begin, end, assigns))
            begin = -1
    return tags


def _block_fault(text: str, name: str) -> TemplateFault | None:
    try:
        tags = _tags(text)
    except TemplateSyntaxError:
        return None
    open_tags: list[Tag] = []
    for tag in tags:
        fault = _step(open_tags, tag, name)
        if fault:
            return fault
    if not open_tags:
        return None
    tag = open_tags[-1]
    what = {"for": "repeats", "if": "decides on"}.get(tag.word, "covers")
    return TemplateFault(
        "E401",
        f"`{{% {tag.word} %}}` is never closed",
        Place(name, tag.start, tag.end),
        "opened here",
        (advice(f"add `{{% end{tag.word} %}}` after the part it {what}"),),
    )


def _step(open_tags: list[Tag], tag: Tag, name: str) -> TemplateFault | None:
    word, place = tag.word, Place(name, tag.start, tag.end)
    if word in paired:
        if not (word == "set" and tag.assigns):
            open_tags.append(tag)
        return None
    if word.startswith("end") and word[3:] in paired:
        if open_tags and open_tags[-1].word == word[3:]:
            open_tags.pop()
            return None
        if not open_tags:
            return TemplateFault("E401", f"`{{% {word} %}}` closes nothing", place, "no open block here")
        inner = open_tags[-1].word
        message = f"`{{% {word} %}}` stands where `{{% end{inner} %}}` is due"
        return TemplateFault("E401", message, place, f"`{{% {inner} %}}` is still open")
    if word in within_block:
        if open_tags and open_tags[-1].word in within_block[word]:
            return None
        return TemplateFault("E401", f"`{{% {word} %}}` stands outside a block", place)
    if word in single:
        return None
    known = [*sorted(paired), *(f"end{name}" for name in sorted(paired)), *within_block, *sorted(single)]
    close = near(word, known) if word else []
    notes = (advice(f"did you mean `{{% {close[0]} %}}`?"),) if close else ()
    return TemplateFault("E401", f"there is no tag `{{% {word} %}}`", place, "not a tag", notes)


def _said(text: str, name: str, error: TemplateSyntaxError) -> TemplateFault:
    """What Jinja2 says, at the token where it stopped."""
    if (error.message or "").startswith("unexpected end of template"):
        begins = [token for token in _GRAMMAR.tokens(text) if token.kind in _CLOSED_BY]
        if begins:
            closer = _CLOSED_BY[begins[-1].kind]
            opener = begins[-1].text
            place = Place(name, begins[-1].start, begins[-1].end)
            message = f"`{opener}` is never closed"
            return TemplateFault("E401", message, place, "opened here", (advice(f"add `{closer}`"),))
    start = min(max(error.lineno, 0), max(len(text) - 1, 0))
    end = start + 1
    with suppress(TemplateSyntaxError):
        end = next((token.end for token in _GRAMMAR.tokens(text) if token.start == start), end)
    words = re.sub(r" at \d+$", "", (error.message or "nobody knows why").rstrip("."))
    for jinja, written in _WRITTEN:
        words = words.replace(f"'{jinja}'", f"`{written}`")
    words = re.sub(r"(?i)^expected token (.*), got (.*)$", r"\1 is due where \2 stands", words)
    words = re.sub(r"'([^']*)'", r"`\1`", words)
    message = f"the template cannot be read: {words[0].lower()}{words[1:]}"
    return TemplateFault("E401", message, Place(name, start, max(end, start + 1)), "here")
