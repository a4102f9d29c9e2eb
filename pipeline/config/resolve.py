"""References become values, in values of the parsed tree only: never in text, never in keys, never nested. No I/O.

A value that is one whole reference keeps the type of what it refers to; inside a longer string it becomes text.
What a variable holds is never looked through again for references.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline.config.comments import FREE, is_comment
from pipeline.config.conditional import (
    CONDITIONAL,
    PARTS,
    alternatives_in,
    is_data,
    misspelt,
    undecided,
    without,
)
from pipeline.config.faults import count
from pipeline.config.given import UNKNOWN, FromEnv, Unknown, Within, advice, note
from pipeline.config.lookup import Found, Place, find, hidden
from pipeline.config.mask import is_secret_name
from pipeline.config.near import near
from pipeline.config.references import MOST_REFERENCES, Piece, Ref, RefKind, alike, scan
from pipeline.config.slip import slip
from pipeline.config.tree import Array, Broken, Document, Member, Node, Object, Scalar, plain
from pipeline.config.unset import empty, unset
from pipeline.config.validate import describe
from pipeline.errors import Edit, Note, Problem, Span
from pipeline.secret import Secret

# More of a value is not read in a message.
LONGEST_SHOWN: Final = 60
# As long as a file.
LONGEST_TEXT: Final = 10_000_000
# A file with more variables that are not set is one fault many times.
MOST_UNSET: Final = 1000
# Names times names; beyond this no near names are looked for.
MOST_PAIRS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where values are looked for. Without `env` or `secrets` references count as set and of the right type."""

    env: Sequence[Place] = ()
    secrets: Sequence[Place] = ()
    take_env: bool = True
    take_secrets: bool = True


@dataclass(frozen=True, slots=True)
class SecretAt:
    """A `$SECRET()` where it stands. `pipeline.config.typed` knows whether it may stand there."""

    span: Span
    path: tuple[str, ...]
    secret: Secret | Unknown
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """That a configuration names a variable or a secret, and where its value was found."""

    kind: RefKind
    name: str
    span: Span
    path: tuple[str, ...]
    found: Found | None
    value: Span
    """The string that it is, or stands in."""

    @property
    def secret(self) -> bool:
        """Whether the value is a secret: by its kind, by its name, or by the name of the property that takes it."""
        return self.kind == "SECRET" or is_secret_name(self.name) or any(map(is_secret_name, self.path[-1:]))


@dataclass(slots=True)
class Resolver:
    """Resolves one document; `problems` and `uses` fill while it works."""

    document: Document
    lookup: Lookup = field(default_factory=Lookup)
    problems: list[Problem] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    chosen: set[int] = field(default_factory=set)
    """Where the alternatives begin that conditions chose."""
    _references: int = 0
    _stopped: bool = False
    _untold: int = 0
    _pairs: int = 0

    def value(self, node: Node, path: tuple[str, ...] = ()) -> object:
        """The value of a node with its references resolved; `UNKNOWN` and `SecretAt` mark what is not plain."""
        match node:
            case Scalar(value=str() as text) if "$" in text:
                return self._text(node, text, path)
            case Scalar():
                return node.value
            case Array():
                return [self.value(item, path) for item in node.items]
            case Object():
                return {key: self.value(member.value, (*path, key)) for key, member in node.members.items()}
        return UNKNOWN

    def choose(self, node: Node, path: tuple[str, ...] = ()) -> Node:
        """The tree with every `$conditional_properties` replaced by the properties that its condition selects.

        They replace their siblings; nothing is merged in depth. Rules and embedded data are left as they are.
        """
        match node:
            case Array():
                return replace(node, items=[self.choose(item, path) for item in node.items])
            case Object():
                while CONDITIONAL in node.members:
                    node = self._select(node, path)
                members = {
                    key: member
                    if is_data(key, path)
                    else replace(member, value=self.choose(member.value, (*path, key)))
                    for key, member in node.members.items()
                }
                return replace(node, members=members)
        return node

    def _select(self, node: Object, path: tuple[str, ...]) -> Object:
        """The object without its `$conditional_properties`, which may bring another one."""
        member = node.members[CONDITIONAL]
        where = (*path, CONDITIONAL)
        condition, names = self._parts_of(member, where)
        value = UNKNOWN if condition is None else self.value(condition, (*where, "condition"))
        if isinstance(value, SecretAt):
            self._fault("E310", "a condition cannot be a secret", value.span, where)
        if condition is None or isinstance(value, Unknown | SecretAt):
            return undecided(node)
        name = as_text(value)
        choice = alternatives_in(member.value).get(name)
        if choice is None:
            if name not in names and _is_whole(member.value):
                self._unmatched(condition, name, names, where, is_text=not isinstance(value, dict | list))
            return undecided(node)
        self.chosen.add(choice.start)
        return replace(node, members={**without(node), **choice.members}, whole=node.whole and choice.whole)

    def _unmatched(
        self, condition: Node, name: str, known: Iterable[str], where: tuple[str, ...], *, is_text: bool
    ) -> None:
        shown = name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…"
        notes = [note(f"alternatives: {', '.join(f'`{key}`' for key in known) or 'none'}")]
        if is_text:
            notes.append(
                advice(f"add `{json.dumps(shown, ensure_ascii=False)}: {{…}}` to `alternatives`; it may be empty")
            )
        message = f"`{CONDITIONAL}` has no alternative for `{shown}`"
        self._fault("E313", message, self.document.span(condition), where, *notes)

    def _parts_of(self, member: Member, where: tuple[str, ...]) -> tuple[Node | None, Sequence[str]]:
        """The condition and the names to choose from, if both are there; all that is written wrong is told."""
        spec = member.value
        if isinstance(spec, Broken):
            return None, ()
        parts = spec.members if isinstance(spec, Object) else {}
        missing = [name for name in PARTS if name not in parts]
        for name, part in parts.items():
            if name not in PARTS and name not in FREE and _is_whole(spec):
                meant = near(name, missing)
                span = self.document.span(part.key)
                self._fault(
                    "E201",
                    f"unknown property `{name}` in `{CONDITIONAL}`",
                    span,
                    (*where, name),
                    advice(f"did you mean `{meant[0]}`?" if meant else "it has a `condition` and `alternatives`"),
                    fix=(Edit(span, f'"{meant[0]}"'),) if slip(name, missing) else (),
                    label="not a property of it",
                )
                missing = [part for part in missing if part not in meant]
        if not isinstance(spec, Object) or (missing and spec.whole):
            self._fault(
                "E204",
                f"`{CONDITIONAL}` needs a `condition` and an object of `alternatives`",
                self.document.span(member.key),
                where,
                advice('write {"condition": "$ENV(node-env)", "alternatives": {"prod": {…}, "test": {…}}}'),
            )
        holder = parts["alternatives"].value if "alternatives" in parts else None
        names = self._names(holder, (*where, "alternatives")) if holder else ()
        right = "condition" in parts and isinstance(holder, Object)
        return (parts["condition"].value if right else None), names

    def _names(self, holder: Node, where: tuple[str, ...]) -> Sequence[str]:
        """The names of the alternatives; each of them is an object."""
        if not isinstance(holder, Object):
            self._no_object(holder, where)
            return ()
        written = [name for name, member in holder.members.items() if not is_comment(name, plain(member.value))]
        for name in written:
            if not isinstance(holder.members[name].value, Object):
                self._no_object(holder.members[name].value, (*where, name))
        return written

    def _no_object(self, node: Node, path: tuple[str, ...]) -> None:
        # A bracket in the wrong place, which has been told, makes alternatives of properties.
        if not isinstance(node, Broken) and not self.document.torn:
            what = describe(plain(node))
            message = f"`{path[-1]}` must be an object, not {what}"
            self._fault("E202", message, self.document.span(node), path, label=what)

    def _text(self, node: Scalar, text: str, path: tuple[str, ...]) -> object:
        pieces, faults = scan(text)
        # What is told as a fault of a reference is not told as something like one.
        looking = [] if faults else list(alike(text))
        places = Within(self.document, node)
        for fault in (*faults, *looking):
            span = places.span(fault.start, fault.end)
            fix = (Edit(span, fault.repair),) if fault.repair else ()
            self._fault(fault.code, fault.message, span, path, *fault.notes, fix=fix)
        if faults:
            return UNKNOWN
        whole = len(pieces) == 1
        self._references += sum(isinstance(piece, Ref) for piece in pieces)
        if self._references > MOST_REFERENCES:
            if not self._stopped:
                message = f"more than {count(MOST_REFERENCES)} references, those from here on are not looked at"
                self._fault("E113", message, self.document.span(node), path)
            self._stopped = True
            return UNKNOWN
        values = self._values(node, pieces, path, whole)
        if whole:
            return values[0]
        if any(isinstance(value, Unknown) for value in values):
            return UNKNOWN
        secrets = [value for value in values if isinstance(value, SecretAt)]
        if not secrets:
            texts = [str(value) for value in values]
            if sum(map(len, texts)) > LONGEST_TEXT:
                message = f"with its references this text has more than {count(LONGEST_TEXT)} characters"
                self._fault("E113", message, self.document.span(node), path)
                return UNKNOWN
            return "".join(texts)
        lost = next((at for at in secrets if isinstance(at.secret, Unknown)), None)
        if lost:
            return lost
        parts = [value.secret if isinstance(value, SecretAt) else str(value) for value in values]
        joined = Secret.join(part for part in parts if not isinstance(part, Unknown))
        return replace(secrets[0], secret=joined)

    def _values(self, node: Scalar, pieces: Sequence[Piece], path: tuple[str, ...], whole: bool) -> list[object]:
        """The pieces of a string with the references among them replaced.

        Of a name that stands more than once the first place tells what is wrong.
        """
        places = Within(self.document, node)
        known: dict[tuple[RefKind, str], object] = {}
        values: list[object] = []
        for piece in pieces:
            if isinstance(piece, str):
                values.append(piece)
                continue
            key = piece.kind, piece.name
            if key not in known:
                known[key] = self._lookup(node, piece, places.span(piece.start, piece.end), path, whole)
            values.append(known[key])
        return values

    def _lookup(self, node: Scalar, ref: Ref, span: Span, path: tuple[str, ...], whole: bool) -> object:
        secret = ref.kind == "SECRET"
        taken = self.lookup.take_secrets if secret else self.lookup.take_env
        found = find(self.lookup.secrets if secret else self.lookup.env, ref.name) if taken else None
        self.uses.append(Use(ref.kind, ref.name, span, path, found, self.document.span(node)))
        places = self.lookup.secrets if secret else self.lookup.env
        # A name that may stand in a file that could not be read is not reported as unset too.
        told = not taken or (found is None and (hidden(places, ref.name) or self._is_elsewhere(path)))
        if secret:
            if found is None:
                return SecretAt(span, path, UNKNOWN, None if told else self._unset(ref, span, path))
            value = found.value if isinstance(found.value, Secret) else Secret(str(found.value))
            if value == Secret(""):
                return SecretAt(span, path, UNKNOWN, empty(ref.name, span, path, found))
            return SecretAt(span, path, value)
        if found is None:
            problem = None if told else self._unset(ref, span, path)
            self.problems += [problem] if problem else []
            return UNKNOWN
        if whole:
            return FromEnv(found.value, ref.name) if isinstance(found.value, str) else found.value
        if isinstance(found.value, dict | list):
            self._fault(
                "E308",
                f"`{ref.name}` holds {'a list' if isinstance(found.value, list) else 'an object'}, which is no text",
                span,
                path,
                note("inside a longer string a reference becomes text"),
            )
            return UNKNOWN
        return as_text(found.value)

    def _is_elsewhere(self, path: tuple[str, ...]) -> bool:
        """Whether a reference may stand in an alternative that is not chosen, for a fault that is told."""
        return (self.document.torn and '"alternatives"' in self.document.text) or bool(misspelt(path))

    def _unset(self, ref: Ref, span: Span, path: tuple[str, ...]) -> Problem | None:
        """E301 or E303; of the many in a file of another kind not all are told."""
        self._untold += 1
        if self._untold > MOST_UNSET:
            if self._untold == MOST_UNSET + 1:
                self._fault(
                    "E113",
                    f"more than {count(MOST_UNSET)} references without a value, the rest is not told",
                    span,
                    path,
                )
            return None
        places = self.lookup.secrets if ref.kind == "SECRET" else self.lookup.env
        self._pairs += sum(len(place.names) for place in places)
        return unset(ref.kind, ref.name, span, path, places, guess=self._pairs <= MOST_PAIRS)

    def _fault(
        self,
        code: str,
        message: str,
        span: Span,
        path: tuple[str, ...],
        *notes: Note,
        fix: tuple[Edit, ...] = (),
        label: str = "",
    ) -> None:
        self.problems.append(Problem(code, message, span, label, path, notes=notes, fix=fix))


def _is_whole(spec: Node) -> bool:
    """Whether the alternatives end where they seem to."""
    if not isinstance(spec, Object) or not spec.whole:
        return False
    holder = spec.members.get("alternatives")
    return holder is None or getattr(holder.value, "whole", True)


def as_text(value: object) -> str:
    """A typed value as text: the way JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
