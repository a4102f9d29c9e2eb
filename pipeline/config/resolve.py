"""References become values, in values of the parsed tree only: never in text, never in keys, never nested. No I/O.

A value that is one whole reference keeps the type of what it refers to; inside a longer string it becomes text.
What a variable holds is never looked through again for references.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline.config.given import UNKNOWN, FromEnv, Unknown, advice, note, within
from pipeline.config.lookup import Found, Place, find, hidden, spellings
from pipeline.config.near import near
from pipeline.config.references import Ref, RefKind, scan
from pipeline.config.tree import Array, Broken, Document, Member, Node, Object, Scalar
from pipeline.errors import Edit, Note, Problem, Span
from pipeline.secret import Secret

CONDITIONAL: Final = "$conditional_properties"


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


@dataclass(slots=True)
class Resolver:
    """Resolves one document; `problems` and `uses` fill while it works."""

    document: Document
    lookup: Lookup = field(default_factory=Lookup)
    problems: list[Problem] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)

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
                members: dict[str, Member] = {}
                for key, member in node.members.items():
                    below = (*path, key)
                    kept = key == "transform" or (key == "entities" and "source" in path)
                    members[key] = member if kept else replace(member, value=self.choose(member.value, below))
                chosen = replace(node, members=members)
                return self._select(chosen, path) if CONDITIONAL in members else chosen
        return node

    def _select(self, node: Object, path: tuple[str, ...]) -> Object:
        member = node.members.pop(CONDITIONAL)
        spec = member.value
        where = (*path, CONDITIONAL)
        if isinstance(spec, Broken):
            return replace(node, whole=False)
        parts = spec.members if isinstance(spec, Object) else {}
        condition = parts.get("condition")
        alternatives = parts.get("alternatives")
        if condition is None or alternatives is None or not isinstance(alternatives.value, Object):
            self._fault(
                "E204",
                f"`{CONDITIONAL}` needs a `condition` and an object of `alternatives`",
                self.document.span(member.key),
                where,
                advice('write {"condition": "$ENV(node-env)", "alternatives": {"prod": {…}, "test": {…}}}'),
            )
            return replace(node, whole=False)
        value = self.value(condition.value, (*where, "condition"))
        if isinstance(value, Unknown | SecretAt):
            if isinstance(value, SecretAt):
                self._fault("E310", "a condition cannot be a secret", value.span, where)
            return replace(node, whole=False)
        name = value if isinstance(value, str) else as_text(value)
        choice = alternatives.value.members.get(name)
        if choice is None or not isinstance(choice.value, Object):
            known = ", ".join(f"`{key}`" for key in alternatives.value.members) or "none"
            self._fault(
                "E313",
                f"`{CONDITIONAL}` has no alternative for `{name}`",
                self.document.span(condition.value),
                where,
                note(f"alternatives: {known}"),
                advice(f'add `"{name}": {{…}}` to `alternatives`; it may be empty'),
            )
            return replace(node, whole=False)
        return replace(node, members={**node.members, **choice.value.members}, whole=node.whole and choice.value.whole)

    def _text(self, node: Scalar, text: str, path: tuple[str, ...]) -> object:
        pieces, faults = scan(text)
        for fault in faults:
            span = within(self.document, node, fault.start, fault.end)
            fix = (Edit(span, fault.repair),) if fault.repair else ()
            self._fault(fault.code, fault.message, span, path, *fault.notes, fix=fix)
        if faults:
            return UNKNOWN
        whole = len(pieces) == 1
        values = [piece if isinstance(piece, str) else self._lookup(node, piece, path, whole) for piece in pieces]
        if whole:
            return values[0]
        if any(isinstance(value, Unknown) for value in values):
            return UNKNOWN
        secrets = [value for value in values if isinstance(value, SecretAt)]
        if not secrets:
            return "".join(str(value) for value in values)
        lost = next((at for at in secrets if isinstance(at.secret, Unknown)), None)
        if lost:
            return lost
        parts = [value.secret if isinstance(value, SecretAt) else str(value) for value in values]
        joined = Secret.join(part for part in parts if not isinstance(part, Unknown))
        return replace(secrets[0], secret=joined)

    def _lookup(self, node: Scalar, ref: Ref, path: tuple[str, ...], whole: bool) -> object:
        span = within(self.document, node, ref.start, ref.end)
        secret = ref.kind == "SECRET"
        taken = self.lookup.take_secrets if secret else self.lookup.take_env
        found = find(self.lookup.secrets if secret else self.lookup.env, ref.name) if taken else None
        self.uses.append(Use(ref.kind, ref.name, span, path, found))
        places = self.lookup.secrets if secret else self.lookup.env
        # A name that may stand in a file that could not be read is not reported as unset too.
        told = not taken or (found is None and hidden(places, ref.name))
        if secret:
            if found is None:
                return SecretAt(span, path, UNKNOWN, None if told else self._unset_secret(ref, span, path))
            value = found.value if isinstance(found.value, Secret) else Secret(str(found.value))
            if value == Secret(""):
                return SecretAt(span, path, UNKNOWN, self._empty_secret(ref, span, path, found))
            return SecretAt(span, path, value)
        if found is None:
            if not told:
                self.problems.append(self._unset_variable(ref, span, path))
            return UNKNOWN
        if whole:
            return FromEnv(found.value, ref.name) if isinstance(found.value, str) else found.value
        if isinstance(found.value, dict | list):
            self._fault(
                "E308",
                f"`{ref.name}` holds {'a list' if isinstance(found.value, list) else 'an object'}, which is no text",
                span,
                path,
                note(f"it is set in {found.place.name}; inside a longer string a reference becomes text"),
            )
            return UNKNOWN
        return as_text(found.value)

    def _unset_variable(self, ref: Ref, span: Span, path: tuple[str, ...]) -> Problem:
        close = near_name(ref.name, self.lookup.env)
        notes = [_trace(ref.name, self.lookup.env)]
        if close:
            notes.append(advice(f"did you mean `{close[0]}`? it is set in {close[1]}"))
        notes.append(advice(f"add `{ref.name}=…` to .env, or check without values: `mailweir check --no-env`"))
        message = f"environment variable `{ref.name}` is not set"
        return Problem("E301", message, span, path=path, notes=tuple(notes))

    def _unset_secret(self, ref: Ref, span: Span, path: tuple[str, ...]) -> Problem:
        close = near_name(ref.name, self.lookup.secrets)
        notes = [_trace(ref.name, self.lookup.secrets)]
        if close:
            notes.append(advice(f"did you mean `{close[0]}`? it is set in {close[1]}"))
        notes.append(
            advice(
                f"`mailweir secret set {ref.name}` stores it (input is hidden), or check without values:"
                " `mailweir check --no-secrets`"
            )
        )
        return Problem("E303", f"secret `{ref.name}` is not set", span, path=path, notes=tuple(notes))

    def _empty_secret(self, ref: Ref, span: Span, path: tuple[str, ...], found: Found) -> Problem:
        message = f"secret `{ref.name}` is set but empty"
        place = note(f"it is set in {found.place.name}, as `{found.spelling}`")
        store = advice(f"`mailweir secret set {ref.name}` stores it (input is hidden)")
        return Problem("E303", message, span, path=path, notes=(place, store))

    def _fault(
        self, code: str, message: str, span: Span, path: tuple[str, ...], *notes: Note, fix: tuple[Edit, ...] = ()
    ) -> None:
        self.problems.append(Problem(code, message, span, path=path, notes=notes, fix=fix))


def _trace(name: str, places: Sequence[Place]) -> Note:
    looked = " and ".join(f"`{spelling}`" for spelling in spellings(name))
    lines = [f"{number}. {place.label_for(name)}" for number, place in enumerate(places, 1)]
    return note("\n".join([f"looked for {looked} in", *lines]))


def near_name(name: str, places: Sequence[Place]) -> tuple[str, str] | None:
    """The name nearest to one that is not set, and the place that has it."""
    for place in places:
        for candidate in near(name, place.names):
            return candidate, place.name
    return None


def as_text(value: object) -> str:
    """A typed value as text: the way JSON writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
