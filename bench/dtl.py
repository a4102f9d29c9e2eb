"""What rules cost: beside the same work by hand, and beside other languages where they are installed; and a join."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from bench.rounds import measure
from pipeline.clock import MachineClock
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse
from pipeline.dtl.program import Program
from pipeline.dtl.scope import Host
from pipeline.dtl.stored import Stored
from pipeline.state.datasets import Change
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entries_of
from sinks.mail import outbound

ENTITIES = 1_000
JOINED = 100_000
BATCH = 1_000

RULES: dict[str, Any] = {
    "default": [
        ["copy", ["list", "email", "country"]],
        ["add", "name", ["concat", "_S.first", " ", "_S.last"]],
        ["filter", ["eq", "_S.active", True]],
        ["if", ["gt", "_S.total", 100], ["add", "tier", "gold"], ["add", "tier", "basic"]],
        ["add", "lines", ["apply", "line", ["filter", ["gt", "_.quantity", 0], "_S.lines"]]],
        ["add", "count", ["count", "_T.lines"]],
        ["add", "sum", ["sum", "_S.lines.price"]],
        ["default", "language", "en"],
    ],
    "line": [["copy", ["list", "sku", "quantity"]], ["add", "order", "_P._S._id"], ["rename", "price", "amount"]],
}
JOIN: list[Any] = [
    ["copy", "name"],
    ["add", "orders", ["apply-hops", "order", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.customer"]}]],
]
JSONATA = """{"_id": _id, "email": email, "country": country, "name": first & " " & last,
"tier": total > 100 ? "gold" : "basic", "lines": lines[quantity > 0].{"sku": sku, "quantity": quantity,
"amount": price},
"count": $count(lines[quantity > 0]), "sum": $sum(lines.price), "language": "en"}"""
JMESPATH = (
    "{_id: _id, email: email, country: country, name: join(' ', [first, last]),"
    " lines: lines[?quantity > `0`].{sku: sku, quantity: quantity, amount: price},"
    " count: length(lines[?quantity > `0`]), sum: sum(lines[].price)}"
)


def orders() -> list[dict[str, Any]]:
    """Orders of a shop, three lines each."""
    return [
        {
            "_id": f"o{number}",
            "email": f"ann.lee.{number}@example.org",
            "country": "NO",
            "first": "Ann",
            "last": "Lee",
            "active": number % 10 != 0,
            "total": number % 200,
            "lines": [{"sku": f"s{line}", "quantity": line, "price": 12.5 * line} for line in range(3)],
        }
        for number in range(ENTITIES)
    ]


def by_hand(source: dict[str, Any]) -> list[dict[str, Any]]:
    """The same as the rules, for entities whose properties may be missing or of another type."""
    target: dict[str, Any] = {"_id": source["_id"]}
    for name in ("email", "country"):
        if name in source:
            target[name] = source[name]
    names = [source.get("first"), " ", source.get("last")]
    target["name"] = "".join(one for one in names if isinstance(one, str))
    if source.get("active") is not True:
        target["_filtered"] = True
        return [target]
    total = source.get("total")
    target["tier"] = "gold" if isinstance(total, int | float) and total > 100 else "basic"
    lines = []
    for line in source.get("lines") or ():
        quantity = line.get("quantity")
        if isinstance(quantity, int | float) and quantity > 0:
            made = {name: line[name] for name in ("sku", "quantity") if name in line}
            made["order"] = source["_id"]
            if "price" in line:
                made["amount"] = line["price"]
            lines.append(made)
    target["lines"] = lines
    target["count"] = len(lines)
    prices = [line.get("price") for line in source.get("lines") or ()]
    target["sum"] = sum(price for price in prices if isinstance(price, int | float))
    target.setdefault("language", "en")
    return [target]


def program(rules: dict[str, Any], datasets: Stored | None = None) -> Program:
    """The rules, ready."""
    return Program(parse(rules, REGISTRY).rules, Host(time.time_ns, lambda: UUID(int=1), datasets))


def run() -> None:
    """Shape the orders of a shop, and join them with their customers."""
    found, shop = orders(), program(RULES)
    for one in found[:100]:
        if shop(one) != by_hand(one):
            raise RuntimeError(f"the rules and what is written by hand do not agree on {one}")
    rivals = {
        "by hand, in Python": lambda: [by_hand(one) for one in found],
        "rules": lambda: [shop(one) for one in found],
        **_others(found),
    }
    measure(f"Shaping {ENTITIES:,} orders of a shop, per order", rivals, unit="µs", count=ENTITIES)
    asyncio.run(_joins())


def _others(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Languages for a comparable work: they know no targets, and jmespath no conditions."""
    others: dict[str, Any] = {}
    for name, compiled in (("jsonata", _jsonata), ("jmespath", _jmespath)):
        try:
            evaluate = compiled(import_module(name))
        except ImportError:
            sys.stdout.write(f"{name} is not installed\n")
        else:
            others[name] = partial(_each, evaluate, found)
    return others


def _each(evaluate: Callable[[Any], Any], found: list[dict[str, Any]]) -> list[Any]:
    return [evaluate(one) for one in found]


def _jsonata(module: ModuleType) -> Callable[[Any], Any]:
    evaluate: Callable[[Any], Any] = module.Jsonata(JSONATA).evaluate
    return evaluate


def _jmespath(module: ModuleType) -> Callable[[Any], Any]:
    search: Callable[[Any], Any] = module.compile(JMESPATH).search
    return search


async def _joins() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
            await state.datasets.prepare("orders", "orders", [("customer",)])
            for start in range(0, JOINED, BATCH):
                # Neighbours in one dataset are strangers in the other.
                part = [
                    {"_id": f"o{number}", "customer": f"c{number * 7919 % JOINED}", "total": number}
                    for number in range(start, start + BATCH)
                ]
                entries = entries_of(part, None)
                if entries is not None:
                    await state.datasets.put(Change("orders", "orders", list(entries[0])))
            reads = SqliteReads(folder)
            join = program({"default": JOIN, "order": [["copy", "total"]]}, Stored(reads))
            began = time.process_time()
            many = sum(len(join({"_id": f"c{number}", "name": "Ann"})[0]["orders"]) for number in range(JOINED))
            took = time.process_time() - began
            reads.close()
            sys.stdout.write(
                f"Joining {JOINED:,} customers with {many:,} orders: {JOINED / took:,.0f} a second of CPU\n"
            )
