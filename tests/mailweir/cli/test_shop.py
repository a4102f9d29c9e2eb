"""The example project `shop`: a database and a file become mail, and nobody gets one twice."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from mailweir.catcher import Catcher

SHOP = Path(__file__).parents[3] / "configs" / "shop"


def mails(catcher: Catcher, known: int) -> dict[str, str]:
    """The texts of those that came after so many, by their subjects."""
    found: list[Any] = [mail.document() for mail in catcher.mails[known:]]
    return {str(one["subject"]): str(one["text"]) for one in found}


def test_only_who_is_new_or_has_changed_gets_a_mail(
    catcher: Catcher, command: Callable[..., Any], tmp_path: Path
) -> None:
    """Everybody once; nobody on the second run; then who is new and who has changed, and not who was removed.

    The warehouse has one mail of all orders, and then one of those that are new.
    """
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    system = folder / "systems/our-smtp-server.conf.json"
    system.write_text(system.read_text().replace("1025", str(catcher.port)))
    first = command(folder, "run")
    assert first.returncode == 0, first.stderr
    found = mails(catcher, 0)
    assert sorted(found) == ["To be packed: 3 orders", "Welcome, Kari Moe", "Welcome, Ola Dahl", "Welcome, Åse Lie"]
    assert "1002  Teapot, 499.00\n" in found["To be packed: 3 orders"].replace("\r\n", "\n")
    assert "- Green tea, 500 g, 149.00\n- Teapot, 499.00\n" in found["Welcome, Kari Moe"].replace("\r\n", "\n")
    assert '- Cups, "Bergen", 4, 280.00' in found["Welcome, Åse Lie"]
    assert "Tea is waiting for you" in found["Welcome, Ola Dahl"]
    second = command(folder, "run", "--json")
    assert json.loads(second.stdout)["ok"]
    assert len(catcher.mails) == 4
    with closing(sqlite3.connect(folder / "data/shop.db", isolation_level=None)) as database:
        database.execute("INSERT INTO customers VALUES (4, 'Bo', 'Lee', 'bo@example.com')")
        database.execute("UPDATE customers SET last_name = 'Moen' WHERE id = 1")
        database.execute("DELETE FROM customers WHERE id = 3")
    with (folder / "data/orders.csv").open("a") as orders:
        orders.write("1004,4,Sugar,20.00\n")
    third = command(folder, "run")
    assert third.returncode == 0, third.stderr
    found = mails(catcher, 4)
    assert sorted(found) == ["To be packed: 1 order", "Welcome, Bo Lee", "Welcome, Kari Moen"]
    assert "Sugar" in found["Welcome, Bo Lee"]
    assert "1 deleted" in third.stdout
