"""A return path of its own for each recipient, so that a report names whom it is about. No I/O.

`news@example.com` sends to `kari@example.org` as `news+kari=example.org@example.com`: the form that Postfix and other
servers make themselves when they are asked to (XVERP).
"""

from __future__ import annotations

import re

from systems.address import a_labels, fault_of


def return_path(sender: str, recipient: str) -> str:
    """The sender's address with the recipient in it; the sender where that is none that every server takes.

    So it is for the null sender, for a name of more than 64 bytes, and for a domain that has no certain ASCII form.
    """
    if not sender:
        return sender
    local, _, domain = sender.rpartition("@")
    name, _, host = recipient.rpartition("@")
    ascii_host = host if host.isascii() else a_labels(host)
    if ascii_host is None:
        return sender
    made = f"{_written(f'{_plain(local)}+{_plain(name)}={ascii_host}')}@{domain}"
    return sender if fault_of(made) else made


def _plain(local: str) -> str:
    """What stands before `@`, without its quotes."""
    return re.sub(r"\\(.)", r"\1", local[1:-1]) if local.startswith('"') else local


def _written(local: str) -> str:
    """With quotes where it needs them."""
    if fault_of(f"{local}@example.com") is None:
        return local
    quoted = re.sub(r'(["\\])', r"\\\1", local)
    return f'"{quoted}"'
