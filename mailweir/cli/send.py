"""`mailweir send`: one mail, through a URL or a system of the project."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mailweir.cli.options import Common, common

if TYPE_CHECKING:
    from mailweir.sent import Sent

# What people write who mean a server, not a system.
_host: Final = re.compile(r"(?:[\w-]+\.)+[\w-]+(?::\d+)?|localhost(?::\d+)?")
PASSWORD: Final = "MAILWEIR_SMTP_PASSWORD"  # noqa: S105 - the name of the variable


# Options whose argument has another name.
_options: Final = {
    "use_ssl": "--tls",
    "ca_file": "--ca-file",
    "sender": "--from",
    "headers": "--header",
    "attached": "--attach",
}


@click.command(
    "send",
    epilog="""\b
Examples:
  mailweir send smtp://127.0.0.1:1025 --from a@example.com --to b@example.com --subject Hi --body Hello
  mailweir send our-smtp-server --from a@example.com --to b@example.com --message mail.eml
  echo Hello | mailweir send our-smtp-server --from a@example.com --to b@example.com --subject Hi --body-file -
  mailweir send smtps://mail.example.com --username a@example.com --from … --to … --attach report.pdf --body …
  mailweir send - --json < request.json          host, port, sender, recipients, message in base64""",
)
@click.argument("server")
@click.option("--from", "sender", metavar="ADDR", help="Who sends: 'a@example.com' or 'Shop <a@example.com>'.")
@click.option("--to", multiple=True, metavar="ADDR", help="Who gets it; commas separate. Repeatable, as --cc.")
@click.option("--cc", multiple=True, metavar="ADDR", help="Who gets a copy.")
@click.option("--bcc", multiple=True, metavar="ADDR", help="Who gets a copy that nobody sees.")
@click.option("--subject", default="", metavar="TEXT", help="The subject.")
@click.option("--body", metavar="TEXT", help="The text.")
@click.option("--body-file", metavar="FILE", help="Read the text from a file; '-' is standard input.")
@click.option("--html", is_flag=True, help="The text is HTML; a plain text is made of it and goes along.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="One more header. Repeatable.")
@click.option("--attach", "attached", multiple=True, metavar="FILE", help="A file to go along. Repeatable.")
@click.option("--message", metavar="FILE", help="A whole mail (.eml) instead of a text; '-' is standard input.")
@click.option("--username", metavar="NAME", help=f"Log in; the password is ${PASSWORD}, or asked for.")
@click.option("--tls", type=click.Choice(["none", "preferred", "required"]), help="STARTTLS on a URL with smtp://.")
@click.option("--ca-file", metavar="FILE", help="The authorities to trust, in PEM.")
@click.option("--timeout", type=click.FloatRange(min=0.001), metavar="SECONDS", help="For each answer, and for all.")
@click.option("--xverp", is_flag=True, help="Ask for a return path of its own for each recipient.")
@click.option("--talk", is_flag=True, help="Show the talk with the server; the login is masked.")
@common
def send_command(values: Common, **options: Any) -> int:  # noqa: ANN401 - handed on by name
    """Send one mail through SERVER: a URL, the _id of a system of the project, or - for a request on standard input.

    Exits with 0 when the server took every recipient, 1 when it did not, 2 when the call is wrong.
    """
    import asyncio

    from mailweir.cli.logged import logged
    from mailweir.cli.send_request import request_of
    from mailweir.sending import asend

    server = options.pop("server")
    try:
        if server == "-":
            _only_talk(options)
            server, parts = request_of(sys.stdin.buffer.read())
            if options["talk"]:
                parts["verbose"] = values.out.fault
        else:
            parts = _parts(values, server, options)
        with logged(values):
            sent = asyncio.run(asend(server, folder=values.here, **parts))
    except (ValueError, OSError) as error:
        return _wrong(values, server, error)
    return _tell(values, sent)


def _only_talk(options: dict[str, Any]) -> None:
    """A request says all of it."""
    for name, value in options.items():
        if name != "talk" and value:
            raise ValueError(
                f"{_options.get(name, f'--{name}'.replace('_', '-'))} cannot stand beside `-`: the request says it"
            )


def _parts(values: Common, server: str, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `asend`."""
    for name, option in (("sender", "--from"), ("to", "--to")):
        if not options[name]:
            raise ValueError(f"{option} is missing")
    given = [name for name in ("body", "body_file", "message") if options[name] is not None]
    if len(given) != 1:
        raise ValueError("give one of --body, --body-file and --message")
    parts: dict[str, Any] = {"sender": options["sender"], "recipients": options["to"]}
    if given == ["message"]:
        if options["html"]:
            raise ValueError("--html is for --body and --body-file: --message is a whole mail")
        parts["message"] = _bytes(values, options["message"])
    else:
        text = options["body"]
        parts["body"] = _bytes(values, options["body_file"]).decode() if text is None else text
    if options["html"]:
        parts["content_type"] = "text/html"
    parts |= {name: options[name] for name in ("cc", "bcc", "subject", "headers") if options[name]}
    if options["attached"]:
        parts["attachments"] = [values.here / path for path in options["attached"]]
    return parts | _connection(values, server, options)


def _connection(values: Common, server: str, options: dict[str, Any]) -> dict[str, Any]:
    named = {"username": options["username"], "use_ssl": options["tls"], "timeout": options["timeout"]}
    if options["ca_file"]:
        named["ca_file"] = str(values.here / options["ca_file"])
        if options["tls"] in {None, "none"} and server.startswith("smtp://"):
            raise ValueError("--ca-file is for TLS, and there is none: add --tls required, or use smtps://")
    found = {name: value for name, value in named.items() if value is not None}
    if options["xverp"]:
        found["xverp"] = True
    if options["username"]:
        found["password"] = _password(values)
    if found and "://" not in server:
        option = _options.get(next(iter(found)), f"--{next(iter(found))}")
        raise ValueError(f"`{server}` is a system with properties of its own: {option} is for URLs")
    if options["talk"]:
        found["verbose"] = values.out.fault
    return found


def _password(values: Common) -> str:
    password = os.environ.get(PASSWORD)
    if password is None and values.asks:
        password = click.prompt("Password", hide_input=True, err=True)
    if password is None:
        raise ValueError(f"--username needs a password: set ${PASSWORD}")
    values.out.scrubber.add(password)
    return password


def _bytes(values: Common, name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else (values.here / Path(name)).read_bytes()


def _wrong(values: Common, server: str, error: Exception) -> int:
    """A wrong call: nothing was sent."""
    from mailweir.systems_of import NoSystemError

    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {(error.strerror or str(error)).lower()}"
    else:
        text = str(error)
    if isinstance(error, NoSystemError) and _host.fullmatch(server):
        text += f". A server without a system is a URL: smtp://{server}"
    if values.json:
        values.out.document({"status": "error", "message": text, "deliveryStatus": []})
    else:
        values.out.fault(f"error: {text}")
    return 2


def _tell(values: Common, sent: Sent) -> int:
    from mailweir.sent import response
    from systems.mail import Status

    if values.json:
        values.out.document(sent.document())
    else:
        for answer in sent.recipients:
            # What no server took is in a file: its answer says where.
            taken = "sent" if answer.code else "kept"
            word = taken if answer.status is Status.ACCEPTED else answer.status.value.replace("_", " ")
            values.out.line(f"{answer.recipient}  {word}  {response(answer)}")
    return 0 if sent.ok else 1
