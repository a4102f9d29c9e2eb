"""Sending one mail from Python: a refusal is a value, a wrong call is an exception.

import mailweir

sent = mailweir.send("smtp://localhost:1025", "a@example.com", "b@example.com", subject="Hi", body="Hello")
if not sent.ok:
    print(sent.status, sent.reason)
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from email.message import Message as StandardMessage
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import ValidationError

from mailweir.mail_of_parts import Addresses, File, Headers, composed, ready
from mailweir.sent import Sent
from mailweir.systems_of import of_folder, of_its_folder
from pipeline.config.given import Given
from pipeline.config.text import read
from pipeline.config.tree import Object
from pipeline.secret import Secret
from systems.disk import FolderError
from systems.mail import Answer, MailSystem, Message
from systems.sms import SmsSystemConfig
from systems.smtp.build import build
from systems.smtp.config import SmtpConfig

PREFERRED: Final = 1
REQUIRED: Final = 3

Attached = str | Path | File


async def asend(
    server: str | MailSystem,
    sender: str,
    recipients: Addresses,
    *,
    body: str | None = None,
    message: bytes | str | StandardMessage | None = None,
    subject: str = "",
    cc: Addresses = (),
    bcc: Addresses = (),
    headers: Headers = (),
    content_type: str = "text/plain",
    charset: str = "utf-8",
    attachments: str | Path | Iterable[Attached] = (),
    folder: Path | None = None,
    **connection: Any,  # noqa: ANN401 - the properties of `connect`
) -> Sent:
    """Send one mail through a URL (`smtp://`, `smtps://`), a system of the project by its `_id`, or an open system.

    Either `body`, of which a mail is made, or `message`, which is one. `connection` has what `connect` takes; it is
    for URLs. `folder` is in the project, if it is not the current one. `ValueError` and `OSError` tell of a wrong
    call; whatever servers say is in the value. `verbose` is for systems of the project too.
    """
    if (body is None) == (message is None):
        raise ValueError("give either `body` or `message`")
    key = uuid.uuid4().hex
    if message is not None:
        if subject or headers or attachments or cc or bcc:
            raise ValueError("`message` is a whole mail: subject, headers, cc, bcc and attachments are for `body`")
        mail = ready(key, sender, recipients, message)
    else:
        mail = composed(
            key,
            int(time.time()),
            sender=sender,
            recipients=recipients,
            body=body or "",
            subject=subject,
            cc=cc,
            bcc=bcc,
            headers=headers,
            content_type=content_type,
            charset=charset,
            attachments=[_file(one) for one in ([attachments] if isinstance(attachments, str | Path) else attachments)],
        )
    if not isinstance(server, str) and not hasattr(server, "send"):
        raise ValueError("server: a URL, the `_id` of a system, or an open system was expected")
    if not isinstance(server, str):
        if connection:
            raise ValueError(f"a system has its own {', '.join(connection)}")
        return Sent.of(await _answers(server, mail))
    if "://" in server:
        async with connect(server, **connection) as system:
            return Sent.of(await _answers(system, mail))
    verbose = connection.pop("verbose", False)
    if connection:
        raise ValueError(f"the system `{server}` has its own {', '.join(connection)}")
    systems = of_folder(folder or Path.cwd(), _log(verbose))
    if isinstance(systems.config(server, object), SmsSystemConfig):
        raise ValueError(f"the system `{server}` carries text messages, and this is a mail")  # noqa: TRY004 - as all that is wrong
    chosen = systems.system(server, MailSystem)
    try:
        async with systems:
            return Sent.of(await _answers(chosen, mail))
    except FolderError as error:
        raise of_its_folder(server, error) from None


def send(server: str, sender: str, recipients: Addresses, **parts: Any) -> Sent:  # noqa: ANN401 - as `asend`
    """As `asend`, for programs without an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise RuntimeError("an event loop is running here: use `await mailweir.asend(…)`")
    return asyncio.run(asend(server, sender, recipients, **parts))


def connect(
    url: str,
    *,
    username: str | None = None,
    password: str | Secret | None = None,
    use_ssl: Literal[0, 1, 3, "none", "preferred", "required"] | None = None,
    ca_file: str | None = None,
    ca_path: str | None = None,
    verify_host: bool = True,
    verify_peer: bool = True,
    ssl_cert: str | None = None,
    ssl_key: str | None = None,
    timeout: float | None = None,
    connect_within: float | None = None,
    verbose: bool | Callable[[str], None] = False,
    xverp: bool | Literal["if_offered"] = False,
    helo: str | None = None,
    pipelining: Literal["TRY", "DEPEND", "NO"] = "TRY",
    allow_plaintext_auth: bool = False,
) -> MailSystem:
    """A system for one URL, to be entered with `async with`. `use_ssl`: 1 (preferred) or 3 (required) by STARTTLS.

    `timeout` is for reaching the server, for each of its answers, and for the whole mail; `connect_within` for the
    first alone. `verbose` writes the talk to the error stream, without what belongs to the login.
    """
    parts = urlsplit(url)
    if parts.username is not None:
        username = username or unquote(parts.username)
        password = password or (unquote(parts.password) if parts.password is not None else None)
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    mode = _mode(use_ssl)
    tls = None if parts.scheme == "smtps" else mode
    if tls == "none":
        named = {"ca_file": ca_file, "ca_path": ca_path, "ssl_cert": ssl_cert, "ssl_key": ssl_key}
        for name in (name for name, value in named.items() if value is not None):
            raise ValueError(
                f"{name} is for TLS, and there is none: use smtps://, or use_ssl 1 (preferred) or 3 (required)"
            )
    given: dict[str, Any] = {
        "_id": "send",
        "type": "system:smtp",
        "url": url,
        "smtp_username": username,
        "smtp_password": Secret(password) if isinstance(password, str) else password,
        "tls": tls,
        "ca_file": ca_file,
        "ca_path": ca_path,
        "verify_host": verify_host,
        "verify_peer": verify_peer,
        "insecure": not (verify_host and verify_peer),
        "tls_client_cert": ssl_cert,
        "tls_client_key": ssl_key,
        "xverp": xverp,
        "helo": helo,
        "pipelining": pipelining,
        "allow_plaintext_auth": allow_plaintext_auth,
        "connections": 1,
    }
    if timeout is not None:
        phases = ("greeting", "tls", "login", "mail", "recipient", "data", "block", "dot")
        given |= {"connection_timeout": timeout, "message_timeout": timeout, "timeouts": dict.fromkeys(phases, timeout)}
    if connect_within is not None:
        given["connection_timeout"] = connect_within
    return build(_config(given), ".", _log(verbose))


def _log(verbose: bool | Callable[[str], None]) -> Callable[[str], None] | None:
    return verbose if callable(verbose) else (_to_stderr if verbose else None)


def _mode(use_ssl: object) -> str:
    modes = {None: "none", 0: "none", "none": "none", PREFERRED: "opportunistic", "preferred": "opportunistic"}
    modes |= {REQUIRED: "starttls", "required": "starttls"}
    if use_ssl not in list(modes):
        raise ValueError("use_ssl: 1 (preferred) or 3 (required)")
    return modes[use_ssl]


# What a configuration calls otherwise.
_arguments: Final = {
    "smtp_username": "username",
    "smtp_password": "password",
    "tls_client_cert": "ssl_cert",
    "tls_client_key": "ssl_key",
    "tls": "use_ssl",
    "connection_timeout": "timeout",
    "message_timeout": "timeout",
    "timeouts": "timeout",
}
_expected: Final = {
    "connection_timeout": "seconds were expected: a number above 0, at most 86400",
    "xverp": "true, false or 'if_offered' was expected",
    "pipelining": "TRY, DEPEND or NO was expected",
}


def _argument(name: str) -> str:
    return _arguments.get(name, name)


def _config(given: dict[str, Any]) -> SmtpConfig:
    """The configuration, held to the same rules as one in a file."""
    try:
        config = SmtpConfig.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "url"
        raise ValueError(f"{_argument(name)}: {_expected.get(name) or first['msg']}") from None
    # The rules look at what is written; a secret is written as a reference.
    values = {name: value for name, value in given.items() if value is not None}
    document = read(json.dumps(values, default=lambda _: "$SECRET(password)"), "send")
    root = document.root
    if isinstance(root, Object):
        for problem in SmtpConfig.faults(Given(document, root, values)):
            if problem.level == "error":
                raise ValueError(re.sub(r"`(\w+)`", lambda found: f"`{_argument(found[1])}`", problem.message))
    return config


async def _answers(system: MailSystem, mail: Message) -> tuple[Answer, ...]:
    async for group in system.send([mail], lambda _: None):
        for answered in group:
            return answered.answers
    raise RuntimeError("the system gave no answer")


def _file(given: Attached) -> File:
    if isinstance(given, tuple):
        return given
    if not isinstance(given, str | Path):
        raise ValueError("attachments: a path, or (name, bytes) with a type behind it, was expected")  # noqa: TRY004
    path = Path(given)
    return path.name, path.read_bytes(), mimetypes.guess_type(path.name)[0] or ""


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - asked for
