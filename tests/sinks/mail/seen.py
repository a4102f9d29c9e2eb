"""What a reader sees of a mail, and what it has to see of a letter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import idna

from sinks.mail.letter import Attachment, Heading, Letter, Mailbox

Boxes = tuple[tuple[str, str], ...]


class Leaf(NamedTuple):
    """A part without parts. Of a message within the mail the content is its subject."""

    type: str
    content: bytes
    file_name: str = ""
    disposition: str = ""
    content_id: str = ""


class Branch(NamedTuple):
    """A part of parts."""

    type: str
    parts: tuple[Tree, ...]


Tree = Leaf | Branch


class Seen(NamedTuple):
    """What a reader sees of a mail. `boxes` are those of From, To, Cc and Reply-To."""

    names: tuple[str, ...]
    boxes: tuple[Boxes, ...]
    subject: str
    further: tuple[tuple[str, str], ...]
    tree: Tree


ADDRESSES = ("from", "to", "cc", "reply-to")
_known = frozenset((*ADDRESSES, "date", "subject", "message-id", "mime-version"))


def is_further(name: str) -> bool:
    """Whether a field is one of the further ones."""
    return name.lower() not in _known and not name.lower().startswith("content-")


# How the file names of `letters` arrive, and what they say of the type.
file_names = {
    "../../etc/passwd": "passwd",
    "C:\\x\\y.doc": "y.doc",
    "\u202egpj.exe": "gpj.exe",
    "a\r\nBcc: x.txt": "aBcc: x.txt",
    "": "attachment",
    "...": "attachment",
    "'.log": "'.log",
}
types = {
    "csv": "text/csv",
    "doc": "application/msword",
    "ics": "text/calendar",
    "log": "text/plain",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


def must_be_seen(heading: Heading, letter: Letter, digest: str) -> Seen:
    """What every reader must see; `digest` is what identifiers are made of."""
    sender = letter.sender or heading.sender
    assert sender is not None
    utf8 = any(
        not address.rpartition("@")[0].isascii() or "ß" in address
        for _, address in (sender, *(letter.reply_to or heading.reply_to), *letter.to, *letter.cc)
    )
    fields = [(name, shown(value)) for name, value in (*letter.headers, *heading.headers)]
    further = [(name, value) for name, value in fields if value]
    priority = {"high": "1 (Highest)", "normal": "3 (Normal)", "low": "5 (Lowest)", "": ""}[heading.importance]
    if priority:
        further += [("Importance", heading.importance), ("X-Priority", priority)]
    if heading.auto_submitted:
        further.append(("Auto-Submitted", heading.auto_submitted))
    if letter.unsubscribe:
        post = [("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] * heading.one_click
        further = [("List-Unsubscribe", ", ".join(f"<{url}>" for url in letter.unsubscribe)), *post, *further]
    tree = body(letter, digest)
    alone = isinstance(tree, Leaf)
    eight_bit = any(not one.content.isascii() for one in letter.attachments if one.type == "message/rfc822")
    there = (
        ("Date", True),
        ("From", True),
        ("To", letter.to),
        ("Cc", letter.cc),
        ("Reply-To", letter.reply_to or heading.reply_to),
        ("Subject", shown(letter.subject)),
        ("Message-ID", True),
        *((name, True) for name, _ in further),
        ("MIME-Version", True),
        ("Content-Type", True),
        ("Content-Transfer-Encoding", alone or eight_bit),
    )
    return Seen(
        tuple(name for name, is_there in there if is_there),
        tuple(
            written(boxes, utf8=utf8)
            for boxes in ((sender,), letter.to, letter.cc, letter.reply_to or heading.reply_to)
        ),
        shown(letter.subject),
        tuple(further),
        tree,
    )


def shown(text: str) -> str:
    """Text in a header."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text).strip(" ")


def written(boxes: Iterable[Mailbox], *, utf8: bool) -> Boxes:
    """Mailboxes as a reader gets them: domains are ASCII unless the header is UTF-8."""
    done = []
    for name, address in boxes:
        local, _, domain = address.rpartition("@")
        done.append((shown(name), address if utf8 else f"{local}@{idna.encode(domain).decode()}"))
    return tuple(done)


def lines(text: str) -> bytes:
    """Text of a body, with the line ends of mail."""
    text = re.sub("[\0\ud800-\udfff]", "\ufffd", text)
    return re.sub("\r\n|\r|\n", "\r\n", text).encode()


def body(letter: Letter, digest: str) -> Tree:
    """The parts."""
    html = letter.html
    images = []
    for place, image in enumerate(letter.images):
        name = f"{place}.{digest}"
        images.append(Leaf("image/png", image.content, image.name, "inline", name))
        html = html and html.replace(f'"cid:{image.cid}"', f'"cid:{name}"')
    texts: list[Tree] = [] if letter.text is None else [Leaf("text/plain", lines(letter.text))]
    if html is not None:
        leaf = Leaf("text/html", lines(html))
        texts.append(Branch("multipart/related", (leaf, *images)) if images else leaf)
    inner = texts[0] if len(texts) == 1 else Branch("multipart/alternative", tuple(texts))
    if letter.attachments:
        return Branch("multipart/mixed", (inner, *(file(one) for one in letter.attachments)))
    if isinstance(inner, Leaf) and inner.content and not inner.content.endswith(b"\r\n"):
        return inner._replace(content=inner.content + b"\r\n")
    return inner


def file(attachment: Attachment) -> Leaf:
    """A file."""
    name = file_names.get(attachment.name, attachment.name)
    if attachment.type == "message/rfc822":
        return Leaf(attachment.type, attachment.content.partition(b"\n")[0][9:], name, "attachment")
    kind = attachment.type.partition(";")[0].lower() or types.get(name.rpartition(".")[2], "")
    return Leaf(
        kind if "\n" not in kind and "/" in kind else "application/octet-stream", attachment.content, name, "attachment"
    )
