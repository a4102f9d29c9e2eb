"""Objects of a test with words of their own: what a case expects, mails in it, answers of mocks. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mailweir.testing.matchers import fault_of, matchers_in, name_of
from mailweir.testing.spec import Expected, HttpAnswer, MailAnswer, Stage
from pipeline.config.given import advice, opening
from pipeline.config.near import near
from pipeline.config.strangers import settle
from pipeline.config.tree import Array, Document, Node, Object
from pipeline.config.validate import describe, validate
from pipeline.errors import Problem
from pipeline.receipt import Outcome

if TYPE_CHECKING:
    from pydantic import BaseModel

MAIL: Final = (
    *("_id", "from", "to", "cc", "bcc", "reply_to", "subject", "text", "html", "headers", "attachments"),
    *("system", "outcome", "code", "message"),
)
"""What a mail has, and what became no mail."""
REJECTED: Final = ("_id", "outcome", "code", "message")

_OUTCOMES: Final = [str(one) for one in Outcome if one is not Outcome.WRITTEN]
_ANSWERS: Final[dict[str, type[BaseModel]]] = {"system": MailAnswer, "http": HttpAnswer}


def inside(node: Node | None, *path: str | int) -> Node | None:
    """What stands at a path, if it does."""
    for part in path:
        if isinstance(node, Object) and part in node.members:
            node = node.members[str(part)].value
        elif isinstance(node, Array) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return None
    return node


def fault(document: Document, code: str, message: str, node: Node, *help_: str) -> Problem:
    """A fault at a node."""
    return Problem(code, message, document.span(node), notes=tuple(map(advice, help_)))


def part_faults(
    document: Document, value: dict[str, Any], node: Object, model: type[BaseModel], noun: str
) -> Iterator[Problem]:
    """What is wrong with an object that has the properties of a class."""
    strangers = settle(document, node, value, model, f"`{noun}`", (noun,))
    usable = {key: item for key, item in strangers.value.items() if key not in strangers.names}
    _, _, faults = validate(model, usable, strangers.unsure, document, node, (noun,), f"`{noun}`")
    for one in (*strangers.problems, *strangers.told(), *faults):
        yield replace(one, code="E701") if one.code == "E201" else one


def expect_faults(
    document: Document, expect: Any, node: Node, stage: Stage, exists: Callable[[str], bool]
) -> Iterator[Problem]:
    """What is wrong with what a case expects at a stage. `exists` says whether there is a file beside the test."""
    if isinstance(expect, dict) and isinstance(node, Object) and name_of(expect) is None:
        found = list(part_faults(document, expect, node, Expected, "expect"))
        yield from found
        if not found and all(expect.get(name) is None for name in Expected.model_fields if name not in _FREE):
            yield Problem(
                "E203",
                "`expect` compares nothing",
                opening(document, node),
                notes=(advice("write a list, or an object with `mails`, `outcomes` or `count`: docs/testing.md"),),
            )
        yield from _outcomes(document, expect.get("outcomes"), node)
        lists = {name: expect.get(name) for name in ("entities", "mails", "rejected", "discarded")}
        for name, items in lists.items():
            words = None if name == "entities" else REJECTED if name == "rejected" else MAIL
            yield from _items(document, items, inside(node, name), words)
    elif isinstance(expect, list):
        yield from _items(document, expect, node, MAIL if stage == "mail" else None)
    else:
        what = "a matcher" if name_of(expect) else describe(expect)
        yield fault(document, "E202", f"`expect` is a list or an object, not {what}", node)
    for path, name, argument in matchers_in(expect):
        wrong = fault_of(name, argument)
        place = inside(node, *path) or node
        if wrong:
            yield fault(document, "E707", wrong, place)
        elif name == "$file" and (leaves(str(argument)) or not exists(str(argument))):
            yield fault(document, "E703", f"`{argument}` is not beside the test", inside(place, name) or place)


# Free words for people.
_FREE: Final = frozenset({"comment", "schema_url"})


def _items(document: Document, items: Any, node: Node | None, words: Sequence[str] | None) -> Iterator[Problem]:
    """Each is an object; of mails, of which `words` are all properties, none has another one."""
    what = "an entity" if words is None else "a mail"
    for place, item in enumerate(items if isinstance(items, list) else ()):
        one = inside(node, place)
        if one is None:
            continue
        if not isinstance(item, dict) or not isinstance(one, Object):
            yield fault(document, "E202", f"{what} is an object, not {describe(item)}", one)
        elif words is not None and name_of(item) is None:
            for name, member in one.members.items():
                if name not in words and not name.startswith("_"):
                    close = [f"did you mean `{each}`?" for each in near(name, words)[:1]]
                    help_ = close or [f"properties: {', '.join(words)}"]
                    yield fault(document, "E701", f"a mail has no property `{name}` in a test", member.key, *help_)


def _outcomes(document: Document, outcomes: object, node: Node) -> Iterator[Problem]:
    """What becomes of mails has words."""
    for place, word in enumerate(outcomes if isinstance(outcomes, list) else ()):
        one = inside(node, "outcomes", place)
        if isinstance(word, str) and word not in _OUTCOMES and one is not None:
            close = [f"did you mean `{each}`?" for each in near(word, _OUTCOMES)[:1]]
            yield fault(
                document, "E203", f"no mail becomes `{word}`", one, *(close or [f"words: {', '.join(_OUTCOMES)}"])
            )


def mock_faults(document: Document, name: str, answers: Sequence[Any], node: Object) -> Iterator[Problem]:
    """What is wrong with a mock, which stands in this object under its name."""
    kind, _, rest = name.partition(":")
    if kind not in (*_ANSWERS, "transform") or not rest:
        close = [f"did you mean `{one}:{rest}`?" for one in near(kind, (*_ANSWERS, "transform"))[:1] if rest]
        wrong = f"`{name}` is no mock: write `system:<_id>`, `http:<_id>` or `transform:<function>`"
        yield fault(document, "E203", wrong, node.members[name].key if name in node.members else node, *close)
        return
    for place, answer in enumerate(answers):
        one = inside(node, name, place)
        if one is None:
            continue
        if kind == "transform":
            made = answer if isinstance(answer, list) else [] if answer is None else [answer]
            if not all(isinstance(entity, dict) for entity in made):
                wrong = f"a function gives an entity, a list of them or null, not {describe(answer)}"
                yield fault(document, "E202", wrong, one)
        elif isinstance(answer, dict) and isinstance(one, Object):
            yield from part_faults(document, answer, one, _ANSWERS[kind], name)
        elif kind == "system":
            wrong = f"an answer is an object with `code` and `text`, not {describe(answer)}"
            yield fault(document, "E202", wrong, one, 'such as {"code": 451, "text": "later"}; {} is no answer at all')


def leaves(name: str) -> bool:
    """Whether a name leads out of the folder that it is in."""
    return name.startswith("/") or ".." in name.split("/") or "\0" in name or not name.strip("./")
