"""The faults of syntax: what each one says. No I/O.

The words never repeat what was written as a value: it may be a password that lost its quotes. Places do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from pipeline.config.fault_list import (
    MOST_EDITS,
    Container,
    Edits,
    FaultList,
    Place,
    closer,
    count,
    kind,
    naming,
    shown,
)
from pipeline.config.tree import Array, Object, Scalar
from pipeline.errors import Label, Note, Problem

__all__ = ["MOST_EDITS", "Container", "Edits", "Faults", "Place", "closer", "count", "kind", "naming", "shown"]

MOST_LABELS = 20
_FAR = sys.maxsize

Uneven = Literal["", "missing", "surplus", "early"]

_OPENER = {"}": "{", "]": "["}
_CLOSER = {"{": "}", "[": "]"}


class Faults(FaultList):
    """The faults of syntax of one text, each method being one kind."""

    __slots__ = ("_nameless", "_unclosed_at", "_uneven", "uneven")

    def __init__(self, name: str, limit: int) -> None:
        """Start with none; `name` is the file's."""
        super().__init__(name, limit)
        self._unclosed_at = -1
        self._uneven = -1
        self._nameless: dict[int, int] = {}
        self.uneven: Uneven = ""
        """Whether the text ends before its brackets do, or some brackets too early."""

    def trailing_comma(self, at: int, node: Container) -> None:
        """E101: `,` before the closer of a list or object."""
        message = f"trailing comma at the end of the {kind(node)}"
        note = f"JSON allows no comma before the closing `{closer(node)}`"
        self.add("E101", message, (at, at + 1), "remove this comma", note=note, fix=[(at, at + 1, "")])

    def comma_after_document(self, start: int, end: int) -> None:
        """E101: nothing but commas after the end."""
        message = "trailing comma at the end of the document"
        self.add("E101", message, (start, start + 1), "remove this comma", fix=[(start, end, "")])

    def extra_comma(self, at: int, node: Container) -> None:
        """E101: a comma with no value before it."""
        message = f"one comma too many in the {kind(node)}"
        self.add("E101", message, (at, at + 1), "remove this comma", fix=[(at, at + 1, "")])

    def missing_comma(self, at: int, node: Container, instead: str = "") -> None:
        """E102: the value that ends at `at` is followed by another; `instead` is a character in the comma's place."""
        message = f"a comma is missing between two {'items' if isinstance(node, Array) else 'properties'}"
        label = f"a `,` belongs here, not `{instead}`" if instead else "a `,` belongs here"
        self.add("E102", message, (at, at + 1), label, fix=[(at, at + len(instead), ",")])

    def bare_name(self, start: int, end: int, name: str) -> None:
        """E103: a property name without quotes."""
        fix = [(start, end, f'"{name}"')]
        self.add("E103", "a property name must be inside double quotes", (start, end), "no quotes", fix=fix)

    def open_name(self, at: int, name: str) -> None:
        """E103: a property name without the quote that ends it."""
        message = f"the closing quote of the name `{shown(name)}` is missing"
        self.add("E103", message, (at, at + 1), 'a `"` belongs before this', fix=[(at, at, '"')])

    def wrong_quotes(self, place: Place, quote: str, fix: Edits) -> None:
        """E103: a string that begins or ends with `quote`."""
        label = {"'": "single quotes are not JSON", "`": "backquotes are not JSON"}.get(
            quote, "typographic quotes are not JSON"
        )
        self.add("E103", "a string must be inside double quotes", place, label, fix=fix)

    def inner_quotes(self, places: Sequence[Place]) -> None:
        """E103: quotes that seem to belong to the string they end.

        There is no repair: whether they do, or another quote is missing, only the writer knows.
        """
        message = 'a `"` inside a string needs a backslash before it'
        label = "the string goes on after this quote"
        text = 'write `\\"` for each quote that belongs to the text, or close the string where it ends'
        self.add("E103", message, places[0], label, also=places[1:MOST_LABELS], help=text)

    def no_opening_quote(self, start: int, sure: bool) -> None:
        """E103: a text that ends with a quote and does not begin with one."""
        message = "the opening quote of a string is missing"
        fix = [(start, start, '"')] if sure else []
        self.add("E103", message, (start, start + 1), 'a `"` belongs before this', fix=fix)

    def bare_reference(self, start: int, end: int, reference: str) -> None:
        """E104: `$ENV(x)` or `$SECRET(x)` without quotes."""
        note = (
            "the quotes do not turn it into a string: a value that is one whole reference "
            "keeps the type of what it refers to"
        )
        message = f"`{shown(reference)}` must be inside quotes"
        fix = [(start, end, f'"{reference}"')]
        self.add("E104", message, (start, end), "a bare reference is not JSON", note=note, fix=fix)

    def comment(self, start: int, end: int) -> None:
        """E105: a comment."""
        text = "put the words in a property named `comment`, or remove them"
        self.add("E105", "a comment is not JSON", (start, end), "JSON has no comments", help=text)

    def never_closed(self, what: str, start: int, width: int = 1) -> None:
        """E106: a string or comment without an end."""
        self.add("E106", f"this {what} is never closed", (start, start + width), "opened here")

    def not_closed(self, node: Container, at: int, wrong: str = "") -> None:
        """E106: a list or object that is open at `at`, where the text ends or `wrong` closes one outside it.

        Several that are open at one place are one fault; the innermost leads.
        """
        place = (node.start, node.start + 1)
        if at == self._unclosed_at and not self.stopped:
            last = self.problems[-1]
            self.problems[-1] = replace(last, also=(*last.also, Label(self._span(place), f"nor this {kind(node)}")))
            return
        self._is_uneven("missing")
        outside = "list" if wrong == "]" else "object"
        related = [((at, at + 1), f"this closes the {outside} around it")] if wrong else []
        self.add("E106", f"this {kind(node)} is never closed", place, "opened here", related=related)
        self._unclosed_at = at

    def not_closed_before(self, node: Container, at: int) -> None:
        """E106: a list or object that is open where the next part of what is around it begins."""
        what = "property" if isinstance(node, Array) else "item"
        related = [((at, at + 1), f"the next {what} begins here")]
        place = (node.start, node.start + 1)
        self.add("E106", f"this {kind(node)} is never closed", place, "opened here", related=related)

    def wrong_closer(self, node: Container, at: int, wrong: str, sure: bool) -> None:
        """E106: `wrong` stands where the closer of `node` belongs."""
        message = f"this {kind(node)} is closed by `{wrong}`"
        related = [((node.start, node.start + 1), "opened here")]
        label = f"a `{closer(node)}` belongs here"
        fix = [(at, at + 1, closer(node))] if sure else []
        self.add("E106", message, (at, at + 1), label, related=related, fix=fix)

    def wrong_opener(self, node: Container, sure: bool) -> None:
        """E106: the node begins as what it is not."""
        opener = _OPENER[closer(node)]
        right = "{" if opener == "[" else "["
        message = f"this {'object' if right == '{' else 'list'} is opened by `{opener}`"
        fix = [(node.start, node.start + 1, right)] if sure else []
        self.add("E106", message, (node.start, node.start + 1), f"a `{right}` belongs here", fix=fix)

    def stray_closer(self, node: Container, at: int, wrong: str) -> None:
        """E106: `wrong` closes neither `node`, which is open, nor anything around it.

        There is no repair: a bracket before it may be missing just as well.
        """
        related = [((node.start, node.start + 1), f"this {kind(node)} is open")]
        text = f"remove it, or add the `{_OPENER[wrong]}` that it belongs to"
        self.add("E106", f"this `{wrong}` closes nothing", (at, at + 1), "one too many", related=related, help=text)

    def early_end(self, node: Container, at: int, *, document: bool) -> None:
        """E107 or E106: a list, an object or the `document` goes on after the bracket that seems to end it."""
        self._is_uneven("early")
        what = "document" if document else kind(node)
        message = f"this `{closer(node)}` ends the {what} too early"
        related = [((node.start, node.start + 1), f"the {kind(node)} begins here")]
        label = f"more of the {kind(node)} follows"
        text = f"remove it, or add the `{_OPENER[closer(node)]}` that it belongs to"
        self.add("E107" if document else "E106", message, (at, at + 1), label, related=related, help=text)

    def closes_nothing(self, start: int, end: int) -> None:
        """E107: nothing but closers after the end."""
        self._is_uneven("surplus")
        self.after_end(start, end, "remove what closes nothing", [(start, end, "")])

    def suspect(self, nodes: Sequence[Container], is_lost: Callable[[int], bool]) -> None:
        """Where the brackets seem to have come apart: those of the nodes fit in kind and not in indentation.

        What is never closed is rather one of these than what is left open for that; `is_lost` tells whether a comma
        that is missing somewhere may have gone with the bracket.
        """
        if self._uneven < len(self.problems) and self.problems[self._uneven].code in {"E106", "E107"}:
            problem = self.problems[self._uneven]
            if self.uneven == "missing" and not problem.also:
                start, end = problem.span.start, min((label.span.start for label in problem.related), default=_FAR)
                inner = next((node for node in nodes if start < node.start and node.end <= end), None)
                if inner:
                    self._not_closed_within(problem, inner, is_lost)
                if inner or problem.related:
                    return
            opener, closer = nodes[0].start, nodes[0].end - 1
            first, second = "perhaps this is not closed", "this closes it, at another indentation"
            if self.uneven != "missing":
                first, second = "because this begins at another indentation", "perhaps this is one too many"
            labels = [Label(self._span((at, at + 1)), text) for at, text in ((opener, first), (closer, second))]
            known = {label.span for label in (*problem.also, *problem.related)} | {problem.span}
            more = [label for label in labels if label.span not in known]
            self.problems[self._uneven] = replace(problem, related=(*problem.related, *more))

    def _not_closed_within(self, problem: Problem, node: Container, is_lost: Callable[[int], bool]) -> None:
        place, end = self._span((node.start, node.start + 1)), self._span((node.end - 1, node.end))
        left = Label(problem.span, "so that this is left open")
        related = (Label(end, "this closes it, at another indentation"), left, *problem.related)
        message = f"this {kind(node)} is never closed"
        self.problems[self._uneven] = replace(problem, message=message, span=place, related=related)
        commas = [p for p in self.problems if p.code == "E102" and node.start < p.span.start < node.end]
        lost = [p for p in commas if is_lost(p.span.start)]
        self.problems = [p for p in self.problems if p not in lost]

    def leave(self) -> None:
        """Offer no repair of the end of the text: the fault may be anywhere before."""
        if self._uneven < len(self.problems) and self.uneven == "surplus":
            text = "remove the bracket that is too many, here or further up, or add the one that it belongs to"
            self.problems[self._uneven] = replace(self.problems[self._uneven], fix=(), notes=(Note("help", text),))

    def forget_doubles(self) -> set[int]:
        """Take back that names before the end are given twice: they belong to two objects. Gives their places."""
        end = self.problems[self._uneven].span.start if self._uneven < len(self.problems) else 0
        doubles = [p for p in self.problems if p.code == "E111" and p.span.start < end]
        self.problems = [p for p in self.problems if p not in doubles]
        return {problem.span.start for problem in doubles}

    def _is_uneven(self, how: Uneven) -> None:
        if not (self.uneven or self.stopped):
            self.uneven, self._uneven = how, len(self.problems)

    def after_end(self, start: int, end: int, help: str, fix: Edits = ()) -> None:
        """E107: more text after the one value of the document."""
        message = "text after the end of the document"
        self.add("E107", message, (start, end), "the document ends before this", help=help, fix=fix)

    def no_value(self, at: int, key: str | None) -> None:
        """E108: a property whose value would begin at `at`."""
        message = "a property has no value" if key is None else f"property `{shown(key)}` has no value"
        self.add("E108", message, (at, at + 1), "a value belongs here")

    def no_name(self, node: Object, start: int, end: int) -> None:
        """E108: something in an object that is no property; all of one object are one fault."""
        if node.start in self._nameless:
            index = self._nameless[node.start]
            if index < len(self.problems) and len(self.problems[index].also) < MOST_LABELS:
                also = (*self.problems[index].also, Label(self._span((start, end))))
                self.problems[index] = replace(self.problems[index], also=also)
            return
        self._nameless[node.start] = len(self.problems)
        label = "an object holds properties"
        self.add("E108", "a property name belongs here", (start, end), label, help='write `"name": value`')

    def has_no_names(self, node: Container) -> bool:
        """Whether something that is no property was told of the object."""
        return node.start in self._nameless

    def second_value(self, start: int, end: int) -> None:
        """E108: two values in a row in an object."""
        self.add("E108", "a second value for one property", (start, end), "a property has one value")

    def no_opener(self, at: int, whose: str, bracket: str = "{") -> None:
        """E108: properties of an object, or items of a list, whose opening bracket is missing."""
        label = "the properties of an object begin here" if bracket == "{" else "the items of a list begin here"
        message = f"the opening `{bracket}` of {whose} is missing"
        self.add("E108", message, (at, at + 1), label, help=f"add a `{bracket}` before this")

    def spare_opener(self, at: int, character: str) -> None:
        """E108: a bracket where a property belongs, with nothing that closes it."""
        text = f"remove it, or write the name of the property before it and its `{_CLOSER[character]}` after it"
        self.add("E108", f"this `{character}` is one too many", (at, at + 1), "a name belongs here", help=text)

    def name_in_list(self, at: int) -> None:
        """E108: `:` in a list."""
        text = "put the properties between `{` and `}`"
        self.add("E108", "a list holds no properties", (at, at + 1), "a `:` belongs in objects only", help=text)

    def misplaced(self, start: int, end: int, text: str) -> None:
        """E108: characters where only a comma or a closer can stand."""
        what = naming(text) if len(text) == 1 else "this text"
        fix = [(start, end, "")] if text == ";" else []
        self.add("E108", f"{what} does not belong here", (start, end), fix=fix)

    def lookalikes(self, character: str, places: Sequence[Place], all_found: bool) -> None:
        """E108: characters that look like white space and are none in JSON."""
        message = f"{naming(character)} is not white space in JSON"
        fix = [(start, end, " " * (end - start)) for start, end in places] if all_found else []
        self.add("E108", message, places[0], "a plain space belongs here", also=places[1:MOST_LABELS], fix=fix)

    def control_characters(self, places: Sequence[Place], escape: str, fix: Edits) -> None:
        """E109: line breaks, tabs and the like as they are; `escape` is what to write for the first."""
        line_break = escape in ("\\n", "\\r")
        message = "a line break inside a string" if line_break else "a control character inside a string"
        note = "a JSON string stands on one line; line breaks and tabs are written `\\n` and `\\t`"
        self.add("E109", message, places[0], f"write `{escape}`", also=places[1:MOST_LABELS], note=note, fix=fix)

    def spare_backslashes(self, places: Sequence[Place], fix: Edits) -> None:
        """E109: a backslash before a character that needs none."""
        message = "a backslash that does not belong here"
        self.add("E109", message, places[0], "remove the backslash", also=places[1:MOST_LABELS], fix=fix)

    def unknown_escapes(self, places: Sequence[Place]) -> None:
        """E109: an escape that JSON does not have."""
        message = "a backslash escape that JSON does not know"
        text = "write `\\\\` for a backslash that belongs to the text"
        self.add("E109", message, places[0], "no escape begins like this", also=places[1:MOST_LABELS], help=text)

    def nul_characters(self, places: Sequence[Place]) -> None:
        """E109: U+0000, escaped or as it is."""
        message = "a string cannot hold the character U+0000"
        note = "most systems end a text there"
        self.add("E109", message, places[0], "remove this", also=places[1:MOST_LABELS], note=note)

    def half_characters(self, places: Sequence[Place]) -> None:
        """E112: an escape for one half of a surrogate pair."""
        message = "an escape that is only half of a character"
        text = "a character beyond U+FFFF takes two escapes, such as `\\ud83d\\ude00`"
        self.add("E112", message, places[0], "the other half is missing", also=places[1:MOST_LABELS], help=text)

    def no_colon(self, at: int, key: str | None) -> None:
        """E110: a name that ends at `at` is followed by its value."""
        message = "a colon is missing" if key is None else f"a colon is missing after property `{shown(key)}`"
        self.add("E110", message, (at, at + 1), "a `:` belongs here", fix=[(at, at, ":")])

    def not_a_colon(self, start: int, end: int, text: str) -> None:
        """E110: `=`, `=>` and the like in the place of a colon."""
        message = f"`{text}` stands where a colon belongs"
        self.add("E110", message, (start, end), "write `:`", fix=[(start, end, ":")])

    def extra_colon(self, at: int, text: str) -> None:
        """E110: `::` or `:=`."""
        self.add("E110", f"one `{text}` too many", (at, at + 1), f"remove this `{text}`", fix=[(at, at + 1, "")])

    def given_twice(self, first: Scalar, again: Scalar) -> None:
        """E111: a name that its object has already."""
        self.add(
            "E111",
            f"property `{shown(str(again.value))}` is given twice in one object",
            (again.start, again.end),
            "given again here",
            related=[((first.start, first.end), "first given here")],
            note="JSON readers keep the last one and drop the first without a word",
        )
