"""Names that invented entities share, so that those of one source can refer to those of another. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pipeline.component import SystemConfig
from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.config.tree import Node, Object
from pipeline.errors import Problem

if TYPE_CHECKING:
    from pipeline.config.given import Given

_POOLS: Final = "id_pools"
_DEFAULTS: Final = {"min": 1, "max": None, "seed": 0}
_EXAMPLE: Final = 'a pool is `{"min": 1, "max": 1000}`'


class FakeSystemConfig(SystemConfig):
    """Pools of identities for sources of type `fake`: the `_id` of some entities, and what others name them by."""

    type: Literal["system:fake"]
    """`system:fake`."""
    id_pools: dict[str, object]
    """The pools by name: `{"firms": {"min": 1, "max": 1000}}` are the numbers from 1 to 1000, as texts. A template
    takes from one by `system:firms`; another `seed` mixes it in another way."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Each pool has a number."""
        member = given.node.members.get(_POOLS)
        pools = given.get(_POOLS)
        if member is None or not isinstance(member.value, Object) or not isinstance(pools, Mapping):
            return
        for name, pool in pools.items():
            node = member.value.members[name].value if name in member.value.members else member.value
            yield from _wrong(given, name, pool, node)

    def pools(self) -> dict[str, tuple[int, int, int]]:
        """The first number, how many there are, and the seed of each."""
        found = {}
        for name, pool in self.id_pools.items():
            whole: Any = _DEFAULTS | (pool if isinstance(pool, dict) else {})
            found[name] = whole["min"], whole["max"] - whole["min"] + 1, whole["seed"]
        return found


def _wrong(given: Given, name: str, pool: object, node: Node) -> Iterator[Problem]:
    def problem(code: str, message: str, at: Node, hint: str = _EXAMPLE) -> Problem:
        path = (*given.path, _POOLS, name)
        return Problem(code, message, given.document.span(at), path=path, notes=(advice(hint),))

    if not isinstance(pool, Mapping) or not isinstance(node, Object):
        yield problem("E202", "a pool is an object", node)
        return
    wrong = False
    for part, value in pool.items():
        at = node.members[part]
        if part not in _DEFAULTS:
            close = near(part, list(_DEFAULTS))
            yield problem(
                "E201", f"a pool has no `{part}`", at.key, f"did you mean `{close[0]}`?" if close else _EXAMPLE
            )
        elif not isinstance(value, int) or isinstance(value, bool) or (part != "seed" and value < 0):
            wrong = True
            yield problem("E202", f"`{part}` is a whole number", at.value)
    if "max" not in pool:
        yield problem("E204", "the pool has no `max`", node)
    elif not wrong and pool["max"] < pool.get("min", 1):
        yield problem("E203", f"no number is from {pool.get('min', 1)} to {pool['max']}", node.members["max"].value)
