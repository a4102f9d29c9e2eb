"""The script that many write, for the mail of `bench.mail`: `mail_python.py PORT CONNECTIONS FILE`. Nothing is durable.

JSON, pydantic, Jinja2, the standard library's EmailMessage, and aiosmtplib with a pool of connections.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime, make_msgid
from pathlib import Path
from typing import Any

import aiosmtplib  # type: ignore[import-not-found]
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel


class Row(BaseModel):
    """What was ordered."""

    quantity: int
    title: str
    price: str


class Order(BaseModel):
    """An entity."""

    name: str
    email: str
    number: str
    rows: list[Row]
    total: str
    shop: str


def named(order: dict[str, Any]) -> dict[str, Any]:
    """With the name that is shown."""
    order["name"] = f"{order['first_name']} {order['last_name']}"
    return order


def totalled(order: dict[str, Any]) -> dict[str, Any]:
    """With the total as text."""
    cents = order["cents"]
    order["total"] = f"{cents // 100}.{cents % 100:02}"
    return order


def orders(path: Path) -> Iterator[Order]:
    """The entities, through two functions."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Order.model_validate(totalled(named(json.loads(line))))


async def main(port: int, connections: int, path: Path) -> None:
    """A task for each connection; they share what there is to do."""
    loader = FileSystemLoader(path.parent)
    plain, escaping = Environment(loader=loader), Environment(loader=loader, autoescape=True)
    subject, text, html = plain.get_template("subject"), plain.get_template("text"), escaping.get_template("html")
    waiting = orders(path)

    async def one() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as client:
            for order in waiting:
                values = order.model_dump()
                message = EmailMessage(policy=SMTP)
                message["From"] = "Example <post@example.com>"
                message["To"] = Address(order.name, addr_spec=order.email)
                message["Subject"] = subject.render(values)
                message["Date"] = localtime()
                message["Message-ID"] = make_msgid(domain="example.com")
                message.set_content(text.render(values))
                message.add_alternative(html.render(values), subtype="html")
                await client.sendmail("post@example.com", [order.email], message.as_bytes())

    await asyncio.gather(*(one() for _ in range(connections)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
