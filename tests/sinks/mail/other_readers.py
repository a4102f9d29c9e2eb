"""Readers of mail that others wrote, each of its own root: Python's `email`, and `mailparse`, which is Rust."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import message_from_bytes, message_from_string
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import collapse_rfc2231_value, getaddresses
from typing import cast

from fast_mail_parser import PyAddress, PyMimePart, parse_email, parse_email_tree

from tests.sinks.mail.seen import ADDRESSES, Boxes, Branch, Leaf, Seen, Tree, is_further


def read_by_email(content: bytes) -> Seen:
    """As Python's `email` reads it, with the functions that it always had."""
    header, _, _ = content.partition(b"\r\n\r\n")
    message = message_from_bytes(content) if header.isascii() else message_from_string(content.decode())
    fields = [(name, re.sub("\r\n(?= )", "", value)) for name, value in message.items()]
    values = {name.lower(): value for name, value in fields}

    def text(value: str) -> str:
        return str(make_header(decode_header(value)))

    def boxes(value: str) -> Boxes:
        return tuple((text(shown), address) for shown, address in getaddresses([value] if value else []))

    return Seen(
        tuple(name for name, _ in fields),
        tuple(boxes(values.get(name, "")) for name in ADDRESSES),
        text(values.get("subject", "")),
        tuple((name, text(value)) for name, value in fields if is_further(name)),
        _email_part(message),
    )


def _email_part(part: Message) -> Tree:
    assert not part.defects, part.defects
    kind = part.get_content_type()
    parts = cast("list[Message]", part.get_payload())
    if kind.startswith("multipart/"):
        return Branch(kind, tuple(map(_email_part, parts)))
    if kind == "message/rfc822":
        # the header of the message within may be UTF-8, which is kept in disguise
        content = str(dict(parts[0].raw_items())["Subject"]).encode("utf-8", "surrogateescape")
    else:
        content = cast("bytes", part.get_payload(decode=True))
    name = part.get_filename()
    name = collapse_rfc2231_value(name) if name else ""
    return Leaf(kind, content, name, part.get_content_disposition() or "", (part["Content-ID"] or "<>")[1:-1])


def read_by_new_email(content: bytes) -> Seen:
    """As Python's `email` reads it with its newer policy, which knows defects.

    It does not read lists of addresses well, so they are left to the others.
    """
    header, _, _ = content.partition(b"\r\n\r\n")
    if header.isascii():
        message = message_from_bytes(content, policy=default)
    else:
        message = message_from_string(content.decode(), policy=default)
    fields = [(name, value) for name, value in message.items() if name.lower() not in ADDRESSES]
    assert not [value.defects for _, value in fields if value.defects]
    return Seen(
        tuple(message.keys()),
        (),
        str(message["Subject"] or ""),
        tuple((name, str(value)) for name, value in fields if is_further(name)),
        _new_email_part(message),
    )


def _new_email_part(part: EmailMessage) -> Tree:
    assert not part.defects, part.defects
    kind = part.get_content_type()
    if kind.startswith("multipart/"):
        return Branch(kind, tuple(_new_email_part(cast("EmailMessage", one)) for one in part.iter_parts()))
    if kind == "message/rfc822":
        content = str(part.get_content()["Subject"]).encode("utf-8", "surrogateescape")
    else:
        content = cast("bytes", part.get_payload(decode=True))
    disposition = part.get_content_disposition() or ""
    return Leaf(kind, content, part.get_filename() or "", disposition, str(part["Content-ID"] or "<>")[1:-1])


def read_by_mailparse(content: bytes) -> Seen:
    """As the Rust crate reads it, with what it says of doubts.

    It takes no quotes before `@`, and decodes no word beside UTF-8: such lists are left to the others.
    """
    mail = parse_email(content)
    assert {one.kind for one in mail.warnings} <= {"address-unparseable"}, mail.warnings
    values = {name.lower(): each[0] for name, each in mail.headers.items()}

    def boxes(name: str, addresses: Iterable[PyAddress | None]) -> Boxes:
        raw = values.get(name, "")
        if '"@' in raw or ("=?utf-8?" in raw and not content.isascii()):
            return ()
        return tuple((one.display_name or "", one.address) for one in addresses if one)

    return Seen(
        tuple(name for name, each in mail.headers.items() for _ in each),
        tuple(map(boxes, ADDRESSES, ((mail.from_,), mail.to, mail.cc, mail.reply_to))),
        mail.subject,
        tuple((name, each[0]) for name, each in mail.headers.items() if is_further(name)),
        _mailparse_part(parse_email_tree(content)),
    )


def _mailparse_part(part: PyMimePart) -> Tree:
    if part.content_type.startswith("multipart/"):
        return Branch(part.content_type, tuple(map(_mailparse_part, part.children)))
    content = part.content or b""
    if part.is_message:
        content = part.children[0].headers["Subject"][0].encode()
    return Leaf(part.content_type, content, part.filename, part.disposition or "", part.content_id or "")


def as_mailparse_sees(seen: Seen) -> Seen:
    """What `mailparse` can see: it trims texts and makes one space of several."""

    def text(value: str) -> str:
        return re.sub(" +", " ", value).strip()

    return seen._replace(
        boxes=tuple(tuple((text(name), address) for name, address in boxes) for boxes in seen.boxes),
        subject=text(seen.subject),
        further=tuple((name, text(value)) for name, value in seen.further),
    )
