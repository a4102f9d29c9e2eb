"""One wrong sign in a line: found by trying what the line would be with one quote more or less. No I/O.

A quote that is missing, doubled or mistyped turns texts and structure inside out up to the end of the line and often
beyond, and each guess of a reader makes another fault. A person sees one slip. So does this: a change of one sign that
leaves no fault in the line and brings none elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

from pipeline.config.tree import Array, Broken, Node, Object, plain, walk
from pipeline.errors import Edit, Label, Note, Problem, Span

# A trial that makes a sound line reads the whole text again.
LARGEST: Final = 50_000
LONGEST_LINE: Final = 1000
MOST_TRIALS: Final = 20
# All trials together read so many characters. Those of a text with brackets in the wrong places take the longest.
MOST_READ: Final = 600_000
# More lines with a slip are another kind of trouble.
MOST_SLIPS: Final = 5

Kind = Literal["insert", "delete", "escape", "quote", "colon", "comma"]
Reading = tuple[Node | None, list[Problem]]
Read = Callable[[str], Reading]
Try = Callable[[str], Reading | None]

# Faults that a sign in the wrong place brings; where all that is found are others, nothing is tried.
_codes = frozenset({"E102", "E103", "E104", "E106", "E108", "E110"})
_torn = frozenset({"E106", "E107"})
# Neighbours of the quote on the keyboard, and signs with a place in JSON beside it.
_typed_for_quotes = frozenset("';:,|\\=`\u00b4")
_brackets = re.compile(r"[\[\]{}]")
_partner = {"[": "]", "]": "[", "{": "}", "}": "{"}
_opens_before = re.compile(r"[\s\[{,:]")
_closes_after = re.compile(r"[\s\]},:]")
_sound_line = re.compile(
    r'(?:[ \t\r]++|[\[{,:]|[}\]](?![ \t]*+["\[{:])'
    r'|"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"(?=[ \t\r]*+(?:[,:}\]]|\Z))'
    r"|(?:-?[0-9][0-9.eE+-]*+|true|false|null)(?=[ \t\r]*+(?:[,}\]]|\Z)))*+"
)
_sign = re.compile(r"[^\w\s]")
_quote = re.compile(r'(?<!\\)(?:\\\\)*+"')
_words: Final[dict[Kind, tuple[str, str, str]]] = {
    "insert": ("E103", "", ""),
    "delete": ("E103", "one quote too many", "remove this"),
    "escape": ("E103", 'a `"` inside a string needs a backslash before it', "the string goes on after this quote"),
    "quote": ("E103", "another sign stands in the place of a quote", 'a `"` belongs here'),
    "colon": ("E110", "another sign stands in the place of a colon", "a `:` belongs here"),
    "comma": ("E102", "another sign stands in the place of a comma", "a `,` belongs here"),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A change of one sign, and what is read with it."""

    kind: Kind
    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        """The text with it."""
        return text[: self.start] + self.text + text[self.end :]

    def back(self, offset: int) -> int:
        """Where a place of the changed text is in the unchanged one."""
        if offset <= self.start:
            return offset
        if offset < self.start + len(self.text):
            return self.start
        return offset - len(self.text) + self.end - self.start


def untangled(text: str, name: str, read: Read) -> Reading:
    """What is read, with the places of `text`; faults that come from one sign are told as one."""
    spent = 0

    def within(text: str) -> Reading | None:
        nonlocal spent
        spent += len(text)
        return read(text) if spent <= MOST_READ else None

    return _untangled(text, name, read(text), within, MOST_SLIPS)


def _untangled(text: str, name: str, reading: Reading, read: Try, left: int) -> Reading:
    root, problems = reading
    if left and len(text) <= LARGEST and _is_tangled(text, problems):
        for start, end in _lines(text, problems):
            if found := _found(text, start, end, problems, read):
                best, certain = found
                changed = best.apply(text)
                again = read(changed)
                if again is None:
                    break
                inner, others = _untangled(changed, name, again, read, left - 1)
                if inner:
                    _move(inner, best)
                    if not certain:
                        _distrust(inner, best.start)
                told = _told(best, text, name, certain=certain)
                moved = [_moved(problem, best) for problem in others]
                return inner, sorted([told, *moved], key=lambda problem: problem.span.start)
    return root, problems


def _is_tangled(text: str, problems: Sequence[Problem]) -> bool:
    """Whether one sign may be behind what is found: a fault without a repair, or two in a line, one of them a quote."""
    if any(problem.code in _codes and not problem.fix for problem in problems):
        return True
    return any(
        "E103" in (one.code, other.code) and "\n" not in text[one.span.start : other.span.start]
        for one, other in pairwise(problems)
    )


def _lines(text: str, problems: Sequence[Problem]) -> Iterator[tuple[int, int]]:
    """The first lines in which something is wrong that one sign can bring."""
    seen: list[tuple[int, int]] = []
    for problem in problems:
        at = problem.span.start
        if problem.code not in _codes or (seen and at < seen[-1][1]):
            continue
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if end - start <= LONGEST_LINE and (start, end) not in seen:
            seen.append((start, end))
            yield start, end
        if len(seen) == 3:
            break


def _found(text: str, start: int, end: int, problems: Sequence[Problem], read: Try) -> tuple[Trial, bool] | None:
    """The change that leaves the fewest faults, and whether it is the only one that does."""
    before = {(problem.code, problem.span) for problem in problems}
    best: list[tuple[Trial, str]] = []
    fewest = len(problems)
    uneven = False
    sound = [trial for trial in _trials(text, start, end) if _is_sound(text, start, end, trial)]
    if len(sound) > MOST_TRIALS:
        return None
    for trial in sound:
        reading = read(trial.apply(text))
        if reading is None:
            return None
        root, left = reading
        if len(left) > fewest or root is None:
            continue
        moved = [_moved(problem, trial) for problem in left]
        if any((p.code, p.span) not in before or (start <= p.span.start <= end and not p.fix) for p in moved):
            continue
        torn = any(p.code in _torn for p in left)
        if torn and trial.kind in {"colon", "comma"}:
            # The sign may as well stand for the bracket that is missing.
            continue
        if len(left) < fewest:
            best, fewest, uneven = [], len(left), torn
        if fewest < len(problems):
            best.append((trial, repr(plain(root))))
    if not best:
        return None
    return best[0][0], not uneven and len({value for _, value in best}) == 1


def _is_sound(text: str, start: int, end: int, trial: Trial) -> bool:
    """Whether the line is made of signs and values of JSON then."""
    line = text[start : trial.start] + trial.text + text[trial.end : end]
    return _sound_line.fullmatch(line) is not None


def _trials(text: str, start: int, end: int) -> Iterator[Trial]:
    """What one sign can be in a line, the likeliest first."""
    for found in _brackets.finditer(text, start, end):
        if _is_odd(text, found.start(), start, end):
            yield Trial("quote", found.start(), found.end(), '"')
    for at in range(start, end + 1):
        before, after = text[at - 1 : at] or "\n", text[at : at + 1] or "\n"
        opens = _opens_before.match(before) and not _closes_after.match(after)
        closes = _closes_after.match(after) and not _opens_before.match(before)
        if opens or closes:
            yield Trial("insert", at, at, '"')
    quotes = [found.end() - 1 for found in _quote.finditer(text, start, end)]
    for at in quotes:
        yield Trial("delete", at, at + 1, "")
    for at in range(start, end):
        if text[at] in _typed_for_quotes:
            yield Trial("quote", at, at + 1, '"')
        # A colon may be anything that stands after a name.
        if at > start and text[at - 1] == '"' and text[at] != ":" and not text[at].isspace():
            yield Trial("colon", at, at + 1, ":")
        # A comma stands before a blank, and after something.
        if (
            _sign.match(text[at])
            and text[at] != ","
            and not text[at + 1 : at + 2].strip()
            and text[at - 1 : at].strip()
        ):
            yield Trial("comma", at, at + 1, ",")
    for at in quotes:
        # Of two quotes in a row one is too many, unless they are inches.
        before, after = text[max(0, at - 2) : at], text[at + 1 : at + 2]
        double = '"' in (before[-1:], after)
        if not double or any(character.isdigit() for character in before):
            yield Trial("escape", at, at, "\\")


def _is_odd(text: str, at: int, start: int, end: int) -> bool:
    """Whether a bracket has no partner between the quotes around it."""
    first = max(start, text.rfind('"', start, at) + 1)
    last = text.find('"', at, end)
    run = text[first : end if last < 0 else last]
    return run.count(text[at]) != run.count(_partner[text[at]])


def _told(trial: Trial, text: str, name: str, *, certain: bool) -> Problem:
    start, end = trial.start, trial.end
    code, message, label = _words[trial.kind]
    if trial.kind == "insert":
        line = text[text.rfind("\n", 0, start) + 1 : start]
        opening = len(_quote.findall(line)) % 2 == 0
        message = f"the {'opening' if opening else 'closing'} quote of a string is missing"
        start, end = (start, start + 1) if opening else (start - 1, start)
        label = f'a `"` belongs {"before" if opening else "after"} this'
    fix = (Edit(Span(name, trial.start, trial.end), trial.text),) if certain else ()
    notes = () if certain else (Note("note", "there is more than one way to read this line"),)
    return Problem(code, message, Span(name, start, end), label, notes=notes, fix=fix)


def _move(root: Node, trial: Trial) -> None:
    for node in walk(root):
        node.start, node.end = trial.back(node.start), trial.back(node.end)
        if isinstance(node, Object):
            for member in node.members.values():
                member.key.start, member.key.end = trial.back(member.key.start), trial.back(member.key.end)


def _distrust(root: Node, at: int) -> None:
    """Nothing is known of the value that a guess has made at a place; an object with such a name may have others."""
    for node in walk(root):
        if isinstance(node, Array):
            node.items = [_unless_at(item, at) for item in node.items]
        elif isinstance(node, Object):
            for member in node.members.values():
                member.value = _unless_at(member.value, at)
                node.whole = node.whole and not member.key.start <= at <= member.key.end


def _unless_at(node: Node, at: int) -> Node:
    touched = node.start <= at <= node.end and not isinstance(node, Array | Object)
    return Broken(node.start, node.end) if touched else node


def _moved(problem: Problem, trial: Trial) -> Problem:
    def span(place: Span) -> Span:
        return Span(place.file, trial.back(place.start), trial.back(place.end))

    def labels(found: Sequence[Label]) -> tuple[Label, ...]:
        return tuple(Label(span(label.span), label.text) for label in found)

    return replace(
        problem,
        span=span(problem.span),
        also=labels(problem.also),
        related=labels(problem.related),
        fix=tuple(Edit(span(edit.span), edit.text) for edit in problem.fix),
    )
