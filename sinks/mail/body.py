"""The body of a mail: which parts it has, and what holds them together. No I/O.

```
mixed          if there are attachments
  alternative  if there are text and HTML
    text/plain
    related    if there are inline images
      text/html
      image …
  attachment …
```
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from sinks.mail import encodings
from sinks.mail.letter import Attachment, Letter, RefusedError
from sinks.mail.parts import Part, cid_fault, heads, of_file, of_text

# Where HTML names a picture that comes with it: in an attribute or `url()`, not among the words of the text.
_shown = re.compile(r"(?<=[\"'(=])cid:([^\"'\s()<>]+)", re.IGNORECASE)

_mixed: Final = b'Content-Type: multipart/mixed;\r\n boundary="%b"\r\n'
_alternative: Final = b'Content-Type: multipart/alternative;\r\n boundary="%b"\r\n'
_related: Final = b'Content-Type: multipart/related; type="text/html";\r\n boundary="%b"\r\n'  # RFC 2387 section 3.1
_eight_bit: Final = b"Content-Transfer-Encoding: 8bit\r\n"

_one_field: Final = (b"Content-Type",)
_two_fields: Final = (b"Content-Type", b"Content-Transfer-Encoding")


class Body(NamedTuple):
    """The body, from the fields that tell of it on; `names` are theirs.

    Every boundary begins with `mark`, and `marks` lines are boundaries.
    """

    content: bytes
    names: tuple[bytes, ...]
    mark: bytes
    marks: int


def body_of(letter: Letter, digest: str, domain: str) -> Body:
    """The body. The boundaries are made of the digest, the names of the images of both."""
    text, html = letter.text, letter.html
    if text is not None and html is not None and not (letter.images or letter.attachments or "cid:" in html):
        usual = _usual(text, html, digest)
        if usual is not None:
            return usual
    return _any(letter, digest, domain)


def _usual(text: str, html: str, digest: str) -> Body | None:
    """The body of most mails, in one step: it is what `_any` makes of them. None if the boundary is in a text."""
    mark = b"=_" + digest.encode()
    encoding, plain = encodings.of_text(text)
    html_encoding, shown = encodings.of_text(html)
    if (encoding == b"7bit" and mark in plain) or (html_encoding == b"7bit" and mark in shown):
        return None  # what is encoded holds no `=_`
    boundary = mark + b"a"
    between = b"\r\n--%b" % boundary
    head, plain_head, html_head = _alternative % boundary, heads["plain", encoding], heads["html", html_encoding]
    whole = (head, between, b"\r\n", plain_head, plain, between, b"\r\n", html_head, shown, between, b"--\r\n")
    return Body(b"".join(whole), _one_field, mark, 3)


def _any(letter: Letter, digest: str, domain: str) -> Body:
    text, html = letter.text, letter.html
    if (text is None or html is None) and not (letter.attachments or letter.images):
        text, html = _ended(text), _ended(html)
    plain = None if text is None else of_text("plain", text)
    shown: Part | None = None
    images: list[Part] = []
    if html is None:
        if letter.images:
            raise RefusedError("images", "without HTML there is nothing to show an image")
    elif letter.images or "cid:" in html:
        html, images = _with_images(html, letter.images, digest, domain)
        shown = of_text("html", html)
    else:
        shown = of_text("html", html)
    files = [of_file(file, "", f"attachments.{index}") for index, file in enumerate(letter.attachments)]
    mark = _mark(digest, (plain, shown, *images, *files))
    marks = 0
    if shown is not None and images:
        shown = _multipart(_related, mark + b"r", [shown, *images])
        marks += len(images) + 2
    if plain is None or shown is None:
        inner = plain or shown
    else:
        inner = _multipart(_alternative, mark + b"a", [plain, shown])
        marks += 3
    if inner is None:
        raise RefusedError("text", "neither text nor HTML")
    if files:
        inner = _multipart(_mixed, mark + b"m", [inner, *files])
        marks += len(files) + 2
    content = inner.content
    if marks:
        return Body(content, _two_fields if inner.eight_bit else _one_field, mark, marks)
    return Body(content if content.endswith(b"\r\n") else content + b"\r\n", _two_fields, mark, marks)


def _ended(text: str | None) -> str | None:
    """A mail ends with the end of a line, and so does a text that is all of it."""
    return f"{text}\n" if text and not text.endswith(("\n", "\r")) else text


def _multipart(head: bytes, boundary: bytes, parts: list[Part]) -> Part:
    head %= boundary
    eight_bit = False
    for part in parts:
        if part.eight_bit:
            eight_bit = True
            head += _eight_bit
            break
    between = b"\r\n--%b\r\n" % boundary
    contents = between.join([part.content for part in parts])
    return Part(b"%b%b%b\r\n--%b--\r\n" % (head, between, contents, boundary), eight_bit=eight_bit)


def _mark(digest: str, parts: Sequence[Part | None]) -> bytes:
    """What no part contains. Encoded ones cannot: `=_` is neither quoted-printable nor base64."""
    mark = f"=_{digest}".encode()
    for part in parts:
        if part is not None and part.open and mark in part.content:
            return _mark(blake2b(mark, digest_size=12).hexdigest(), parts)
    return mark


def _with_images(html: str, images: tuple[Attachment, ...], digest: str, domain: str) -> tuple[str, list[Part]]:
    """The HTML, which says `cid:name`, with the names that the images have in this mail, and the images."""
    names: dict[str, str] = {}
    for index, image in enumerate(images):
        fault = "a second image with this `cid`" if image.cid in names else cid_fault(image.cid)
        if fault:
            raise RefusedError(f"images.{index}.cid", fault)
        names[image.cid] = f"{index}.{digest}@{domain}"

    def renamed(found: re.Match[str]) -> str:
        name = names.get(found[1])
        if name is None:
            raise RefusedError("html", f"no inline image is called `{found[1][:60]}`", found.start())
        return f"cid:{name}"

    parts = [of_file(image, names[image.cid], f"images.{index}") for index, image in enumerate(images)]
    return _shown.sub(renamed, html), parts
