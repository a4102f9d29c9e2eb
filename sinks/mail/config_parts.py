"""The objects within a mail sink as declared. No I/O."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.component import Advice, Part
from pipeline.secret import Secret

Seconds = Annotated[float, Advice("not a time", ("write seconds: 300",)), Field(gt=0, le=31_536_000)]


class AttachmentConfig(Part):
    """A file that goes with every mail: one of the project's folder `attachments`, or content that stands here."""

    file: str | None = None
    """The path of a file in the project's folder `attachments`."""
    content: str | None = None
    """The bytes of the file in base64; `~b` may stand before them."""
    text: str | None = None
    """The text of the file; it is written in UTF-8."""
    name: str | None = None
    """The name that people see. Default: that of the file."""
    content_type: str | None = None
    """What kind of file it is, such as `application/pdf`. Default: what its name says."""


class ImageConfig(AttachmentConfig):
    """A picture that the HTML shows as `<img src="cid:NAME">`."""

    cid: str | None = None
    """The name after `cid:` in the HTML. Default: the name of the file."""


class DkimConfig(Part):
    """A key that signs every mail (RFC 6376). Its public half is in the DNS, at `<selector>._domainkey.<domain>`."""

    domain: str
    """The domain that vouches for the mail: that of the sender."""
    selector: str
    """The name of the key below that domain."""
    key: Secret
    """The private key, RSA or Ed25519: PEM without a password, or base64. Write a `$SECRET()`."""


class DigestConfig(Part):
    """Several entities in one mail instead of a mail for each."""

    by: str
    """The property that entities of one mail have in common: most often the one that names who gets it."""
    every: Annotated[float, Advice("not a time", ("write seconds: 86400",)), Field(ge=0, le=31_536_000)] = 0
    """How many seconds the first entity waits for others. Default: the mail goes at the end of each run."""
    most: Annotated[int, Advice(usual=(100,)), Field(ge=1, le=10_000)] = 100
    """How many entities one mail takes; when there are as many it goes without waiting."""


class RetryConfig(Part):
    """How patient the sink is with servers that turn mail away for now. Seconds."""

    first_wait: Seconds = 300
    """Until the second try. Each wait is twice as long as the one before, less up to a fifth by chance."""
    longest_wait: Seconds = 4000
    """The longest wait between two tries."""
    give_up_after: Seconds = 432_000
    """How old a mail is at its last try; if that fails too it is `dead`. RFC 5321 section 4.5.4.1 asks for 4 to 5
    days."""
