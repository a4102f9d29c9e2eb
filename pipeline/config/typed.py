"""Resolved trees become typed, frozen configs, or every fault of shape at once. No I/O."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.component import ComponentConfig, Kind, SecretArguments, Slot
from pipeline.config.comments import without_comments
from pipeline.config.component_types import Place, Types
from pipeline.config.conditional import CONDITIONAL, misspelt
from pipeline.config.fault_list import count
from pipeline.config.given import UNKNOWN, Given, Unknown, advice, note, opening
from pipeline.config.parts import objects
from pipeline.config.registry import Registry
from pipeline.config.resolve import Resolver, SecretAt
from pipeline.config.shape import Shape, shapes
from pipeline.config.slip import slip
from pipeline.config.strangers import AROUND, Home, Strangers, rename, settle, slips
from pipeline.config.tree import Array, Broken, Document, Node, Object, Scalar, plain
from pipeline.config.validate import describe, noun_of, on_top, validate
from pipeline.errors import Edit, Note, Problem, Span

ConfigClass = type[ComponentConfig]
# A file with more faults of shape is no configuration; the reader stops at fewer faults of syntax.
MOST_PROBLEMS = 1000
# What ten thousand components need is looked at within two seconds; whoever generates more can write several files.
MOST_COMPONENTS = 10_000


@dataclass(slots=True)
class Component:
    """A component as far as it could be read; `config` only when nothing about it is wrong or unknown."""

    kind: Kind
    type: str
    id: str
    model: ConfigClass
    given: Given
    config: ComponentConfig | None = None
    children: list[tuple[str, Component]] = field(default_factory=list)
    strangers: frozenset[str] = frozenset()
    """Names of properties that it does not have."""

    def walk(self) -> Iterator[Component]:
        """The component and those within it."""
        yield self
        for _, child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class Typer:
    """Types the components of one document."""

    document: Document
    registry: Registry
    resolver: Resolver
    templates: Mapping[str, Document] = field(default_factory=dict)
    modules: Mapping[str, Document] | None = None
    problems: list[Problem] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """The `_id` of each component of which nothing more is known; empty when it has none."""
    stopped: bool = False
    conditional: bool = True
    types: Types = field(init=False)

    def __post_init__(self) -> None:
        """Know the types."""
        self.types = Types(self.document, self.registry)

    def document_components(self) -> list[Component]:
        """Every component at the top of the document: one object, or a list of objects."""
        root = self.document.root
        if self.document.cut:
            # It has to be split before anything else is done to it, and each of its parts would take its time.
            self.stopped = True
            return []
        # Copying every object of a large project for nothing would be felt.
        self.conditional = CONDITIONAL in self.document.text
        nodes = root.items if isinstance(root, Array) else [root] if root else []
        if len(nodes) > MOST_COMPONENTS:
            message = f"more than {count(MOST_COMPONENTS)} components in one file, so none of them is looked at"
            first = opening(self.document, nodes[MOST_COMPONENTS])
            self._fault("E113", message, first, (), notes=(advice("split the file"),))
            self.stopped = True
            return []
        found = []
        for node in nodes:
            if len(self.problems) > MOST_PROBLEMS:
                first = opening(self.document, node)
                self._fault(
                    "E113", f"more than {MOST_PROBLEMS} faults, the rest of this file is not checked", first, ()
                )
                self.stopped = True
                break
            if isinstance(node, Object):
                component = self.top(node)
                if component:
                    found.append(component)
                else:
                    self.lost.append(_name(node))
            elif not isinstance(node, Broken):
                self._fault(
                    "E202",
                    "a config file holds one component, or a list of components",
                    self.document.span(node),
                    (),
                    label=describe(plain(node)),
                )
        return found

    def top(self, node: Object) -> Component | None:
        """A component at the top of the document; None when nothing can be said about it."""
        name = _name(node)
        path = (name,) if name else ()
        chosen = self.resolver.choose(node, path) if self.conditional else node
        if not isinstance(chosen, Object):
            return None
        value = self.resolver.value(chosen, path)
        if not isinstance(value, dict):
            return None
        return self.component("pipe", chosen, value, path, top=True, id=name)

    def component(
        self,
        kind: Kind,
        node: Node,
        value: object,
        path: tuple[str, ...],
        *,
        id: str = "",
        default: str | None = None,
        top: bool = False,
        around: Strangers | None = None,
    ) -> Component | None:
        """One component and those within it; None when nothing can be said about it.

        At the top its `type` tells the `kind`. `around` is the object around it.
        """
        if isinstance(value, SecretAt):
            self._misplaced(value, path)
        if isinstance(value, Unknown | SecretAt):
            return None
        if not isinstance(value, dict):
            if self.document.torn and isinstance(value, list):
                # A bracket in the wrong place makes lists of objects, and has been told.
                return None
            message = f"`{path[-1]}` must be an object, not {describe(value)}"
            self._fault("E202", message, self.document.span(node), path, label=describe(value))
            return None
        if not isinstance(node, Object):
            node = Object(node.start, node.end)
        conditions = self._misspelt(node, path) if kind != "transform" else ()
        if conditions:
            # What stands under a misspelt condition is not missing.
            kept = {key: member for key, member in node.members.items() if key not in conditions}
            node = replace(node, members=kept, whole=False)
            value = {key: item for key, item in value.items() if key not in conditions}
        # These are needed before the class is known that says what other names there are.
        renamed = slips(node, ("_id", "type") if top else ("type",))
        named: dict[str, object] = {key: item for key, item in value.items() if key not in renamed.values()}
        named |= {name: value[written] for name, written in renamed.items()}
        node = rename(node, renamed)
        place = Place(kind, top)
        model, type_name = self._model(place, node, named, path, default)
        if model is None:
            self.problems += Strangers(self.document, node, named, ComponentConfig, place.noun, path, renamed).told()
            return None
        kind = model.kind
        homes = [Home(AROUND, around.model), *around.homes] if around else []
        noun = noun_of(model, type_name)
        known = settle(self.document, node, named, model, noun, path, homes, renamed)
        self.problems += known.problems
        if default and "type" not in named and len(known.names) > 1 and node.whole:
            known.of_another_type = True
            granted = note(f"without one it is `{default}`, which has no `{known.names[0]}`")
            self.problems.append(self.types.missing(place, node, path, granted))
        node, named = model.meant(self.document, known.node, known.value)
        fields = shapes(model)
        usable: dict[str, object] = {}
        unknown: set[str] = set()
        inner: dict[str, object] = {}
        children: list[tuple[str, Component]] = []
        for key, raw in named.items():
            shape = fields.get(key)
            member = node.members.get(key)
            below = member.value if member else node
            if shape is None:
                continue
            if shape.slot and raw is not None:
                built = self._slot(shape.slot, below, raw, (*path, key), id, known, children)
                usable[key] = built
                if isinstance(built, Unknown):
                    unknown.add(key)
            else:
                if shape.names_values and isinstance(raw, dict):
                    raw = without_comments(raw)  # noqa: PLW2901 - what is left is what is meant
                clean = self._unwrap(raw, shape, path=(*path, key))
                usable[key] = _known_part(clean)
                if shape.model:
                    inner[key] = clean
                if _has_unknown(clean):
                    unknown.add(key)
        usable["type"] = type_name
        strays = {*known.names, *known.inner, *(name for _, child in children for name in child.strangers)}
        if around:
            strays.update(around.names)
        # What stands in the wrong place, or under a name that was not understood, is told as that: it is not missing.
        absent = self._absent(fields, named) if known.names else []
        strays.update(part for name in known.names for part, home in absent if name in shapes(home.model))
        unsure = known.unsure.union(name for name in strays if name in fields and name not in named)
        unknown |= unsure
        instance, bad, problems = validate(
            model, {k: v for k, v in usable.items() if v is not UNKNOWN}, unknown, self.document, node, path, type_name
        )
        self.problems += problems
        written = [Home(f"`{name}`", child.model) for name, child in children]
        self.problems += known.told([*written, *(home for _, home in absent)], type_name)
        values = dict(usable) | dict.fromkeys(unknown | bad, UNKNOWN)
        sure = {name: value for name, value in inner.items() if name not in unsure}
        named_parts = {name for name in sure if fields[name].named_parts}
        inside = objects(self.document, node, sure, problems, path, id, named_parts)
        given = Given(
            self.document, node, values, path, id, inner=inside, templates=self.templates, modules=self.modules
        )
        found = list(model.faults(given))
        if unsure:
            # Without a property of its own such a fault is about one that may be written after all.
            start = opening(self.document, node)
            found = [problem for problem in found if start not in _places(problem)]
        if any(isinstance(member.value, Broken) for member in node.members.values()):
            # What excludes each other may stand in two alternatives, of which one counts: each is looked at by itself.
            found = [problem for problem in found if problem.code != "E209"]
        self.problems += found
        strange = known.names or known.renamed or known.problems or named.get("type", type_name) != type_name
        faulty = any(problem.level == "error" for problem in found)
        wrong = bad or unknown or strange or conditions or faulty
        config = None if wrong else instance
        strangers = frozenset((*known.names, *known.inner))
        return Component(kind, type_name, id, model, given, config, children, strangers)

    def _absent(self, fields: Mapping[str, Shape], named: Container[str]) -> list[tuple[str, Home]]:
        """The parts that are not written, and what each could be: a property may belong to one of these."""
        slots = [(name, shape.slot) for name, shape in fields.items() if shape.slot and name not in named]
        return [(name, Home(f"`{name}`", part)) for name, slot in slots for part in self.types.all_of(slot.kind)]

    def _misspelt(self, node: Object, path: tuple[str, ...]) -> Sequence[str]:
        """E201 for names that mean `$conditional_properties`, in objects of every type."""
        names = misspelt(node.members) if node.whole else []
        for name in names:
            span = self.document.span(node.members[name].key)
            self._fault(
                "E201",
                f"unknown property `{name}`",
                span,
                (*path, name),
                label="not a property",
                notes=(advice(f"did you mean `{CONDITIONAL}`?"),),
                fix=(Edit(span, f'"{CONDITIONAL}"'),) if slip(name, [CONDITIONAL]) else (),
            )
        return names

    def _model(
        self, place: Place, node: Object, value: Mapping[str, object], path: tuple[str, ...], default: str | None
    ) -> tuple[type[ComponentConfig] | None, str]:
        written = value.get("type", default)
        member = node.members.get("type")
        if isinstance(written, SecretAt):
            self._misplaced(written, (*path, "type"))
        if isinstance(written, Unknown | SecretAt):
            return None, ""
        if written is None and member is None:
            if node.whole:
                self.problems.append(self.types.missing(place, node, path))
            return None, ""
        if not isinstance(written, str):
            span = self.document.span(member.value if member else node)
            message = f"`type` must be a string, not {describe(written)}"
            self._fault("E202", message, span, (*path, "type"), label=describe(written))
            return None, ""
        type_name = str(written)
        model = self.types.find(place, type_name)
        if model is None:
            type_name, problem = self.types.unknown(place, node, path, type_name)
            self.problems.append(problem)
            model = self.types.find(place, type_name)
        return model, type_name

    def _slot(
        self,
        slot: Slot,
        node: Node,
        raw: object,
        path: tuple[str, ...],
        id: str,
        around: Strangers,
        children: list[tuple[str, Component]],
    ) -> object:
        def one(node: Node, raw: object, path: tuple[str, ...]) -> object:
            child = self.component(slot.kind, node, raw, path, id=id, default=slot.default, around=around)
            if child is None:
                return UNKNOWN
            children.append((path[-1], child))
            return UNKNOWN if child.config is None else child.config

        if slot.many == "list":
            raws: Sequence[object] = raw if isinstance(raw, list) else [raw]
            nodes = node.items if isinstance(node, Array) and isinstance(raw, list) else [node] * len(raws)
            built = [one(item, value, path) for item, value in zip(nodes, raws, strict=True)]
            return UNKNOWN if any(isinstance(item, Unknown) for item in built) else built
        if slot.many == "object" and isinstance(raw, dict):
            members = node.members if isinstance(node, Object) else {}
            by_name = {
                name: one(members[name].value if name in members else node, value, (*path, name))
                for name, value in without_comments(raw).items()
            }
            return UNKNOWN if any(isinstance(item, Unknown) for item in by_name.values()) else by_name
        return one(node, raw, path)

    def _unwrap(self, value: object, shape: Shape, *, path: tuple[str, ...], argument: bool = False) -> object:
        """Secrets out of their wrapping where one may stand; elsewhere a problem, and unknown."""
        match value:
            case SecretAt():
                if not (shape.takes_secret or argument):
                    self._misplaced(value, path)
                    return UNKNOWN
                if value.problem:
                    self.problems.append(value.problem)
                return value.secret
            case dict():
                if shape.named_parts:
                    return {k: self._unwrap(v, shape.part, path=(*path, k)) for k, v in value.items()}
                inner = shapes(shape.model) if shape.model else {}
                return {k: self._unwrap(v, inner.get(k, shape), path=(*path, k)) for k, v in value.items()}
            case list():
                allowed = _secret_arguments(shape.arguments, value)
                return [self._unwrap(v, shape, path=path, argument=i in allowed) for i, v in enumerate(value)]
        return value

    def _misplaced(self, at: SecretAt, path: tuple[str, ...]) -> None:
        self._fault(
            "E310",
            f"`{path[-1]}` may not hold a secret",
            at.span,
            path,
            notes=(
                note("secrets go into passwords and keys only, so that none can reach a mail, a log or a name"),
                advice("use `$ENV()` for values that are no secret"),
            ),
        )

    def _fault(
        self,
        code: str,
        message: str,
        span: Span,
        path: tuple[str, ...],
        label: str = "",
        notes: tuple[Note, ...] = (),
        fix: tuple[Edit, ...] = (),
    ) -> None:
        problem = Problem(code, message, span, label, path, notes=notes, fix=fix)
        self.problems.append(on_top(problem, self.document) if code == "E202" else problem)


def _name(node: Object) -> str:
    member = node.members.get("_id") or node.members.get(slips(node, ["_id"]).get("_id", ""))
    value = member.value.value if member and isinstance(member.value, Scalar) else None
    return value if isinstance(value, str) else ""


def _places(problem: Problem) -> list[Span]:
    return [problem.span, *(label.span for label in (*problem.also, *problem.related))]


def _has_unknown(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_has_unknown, value))
    return isinstance(value, Unknown)


def _known_part(value: object) -> object:
    """A value without the properties that are unknown; a list with an unknown item is unknown, for its order counts."""
    if not _has_unknown(value):
        return value
    if isinstance(value, dict):
        known = {key: _known_part(item) for key, item in value.items()}
        return {key: item for key, item in known.items() if item is not UNKNOWN}
    if isinstance(value, list):
        items = [_known_part(item) for item in value]
        return UNKNOWN if any(item is UNKNOWN for item in items) else items
    return UNKNOWN


def _secret_arguments(arguments: SecretArguments | None, call: list[object]) -> tuple[int, ...]:
    if arguments is None or not call or not isinstance(call[0], str):
        return ()
    return arguments.functions.get(call[0], ())
