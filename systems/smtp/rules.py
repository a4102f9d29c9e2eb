"""What the properties of `system:smtp` say together, and where they contradict each other. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.config.given import Unknown, advice, note
from pipeline.errors import Label

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

IMPLICIT_TLS_PORT = 465  # RFC 8314 section 3.3
RELAY_PORT = 25

# (the property, the others that say the same thing in another way, the words for the pair)
_instead = (
    ("url", ("smtp_server", "smtp_port", "socket", "servers")),
    ("socket", ("smtp_server", "smtp_port", "servers")),
    ("servers", ("smtp_server", "smtp_port")),
    ("use_tls", ("tls",)),
)


def faults(given: Given) -> Iterator[Problem]:
    """Every contradiction, over the properties that are right so far."""
    yield from _login(given)
    yield from _excluding(given)
    yield from _url(given)
    yield from _tls(given)
    yield from _clear_login(given)
    if given.get("max_per_hour") == 0:
        yield given.problem(
            "W215",
            "`max_per_hour` is 0, so this system sends nothing",
            "max_per_hour",
            label="every mail is over this limit",
            notes=(advice("set it to what the provider allows; 0 is for a system that must stay silent"),),
        )


def _login(given: Given) -> Iterator[Problem]:
    if given.has("smtp_password") and not given.has("smtp_username"):
        related: tuple[Label, ...] = ()
        if given.written("smtp_username"):
            related = (Label(given.value("smtp_username"), "no user name, so no login is tried"),)
        yield given.problem(
            "E206",
            "`smtp_password` is set but `smtp_username` is not",
            "smtp_password",
            at="key",
            label="this password is never used",
            related=related,
            notes=(
                note("without a user name the engine sends without logging in"),
                advice('add `"smtp_username": "$ENV(smtp-username)"`, or remove `smtp_password`'),
            ),
        )
    if given.has("smtp_username") and not (given.has("smtp_password") or given.has("oauth")):
        related = ()
        if given.written("smtp_password"):
            related = (Label(given.value("smtp_password"), "no password"),)
        yield given.problem(
            "E207",
            "`smtp_username` is set but `smtp_password` is not",
            "smtp_username",
            at="key",
            label="a login needs a password",
            related=related,
            notes=(advice('add `"smtp_password": "$SECRET(smtp-password)"`, or remove `smtp_username`'),),
        )


def _excluding(given: Given) -> Iterator[Problem]:
    for name, others in _instead:
        for other in others:
            if given.has(name) and given.has(other) and given.written(other):
                yield given.problem(
                    "E209",
                    f"`{name}` and `{other}` are both set",
                    name,
                    at="key",
                    label="this says it already",
                    related=(Label(given.key(other), "and this says it again"),),
                    notes=(advice(f"keep one of them: `mailweir explain system:smtp.{name}`"),),
                )
                break


def _url(given: Given) -> Iterator[Problem]:
    text = given.text("url")
    if text is None:
        return
    wrong = url_fault(text)
    if wrong:
        yield given.problem(
            "E203",
            f"`url` {wrong}",
            "url",
            notes=(advice("write smtp://mail.example.com:587, or smtps:// for TLS from the start"),),
        )


def url_fault(text: str) -> str | None:
    """What is wrong with the URL of a mail server."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "has a port that is no number between 1 and 65535"
    if parts.scheme not in {"smtp", "smtps"}:
        return "must begin with smtp:// or smtps://"
    if not parts.hostname:
        return "names no server"
    if parts.username is not None or parts.password is not None:
        return "must not hold a login: use `smtp_username` and `smtp_password`"
    if port == 0:
        return "has a port that is no number between 1 and 65535"
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        return "has more than a server and a port"
    return None


def _tls(given: Given) -> Iterator[Problem]:
    mode, port = given.get("tls"), given.get("smtp_port", RELAY_PORT)
    if mode == "implicit" and port == RELAY_PORT:
        yield given.problem(
            "W211",
            f'`tls` is "implicit" on port {RELAY_PORT}, where servers begin in the clear',
            "tls",
            notes=(advice('use port 465, or `"tls": "starttls"`'),),
        )
    elif port == IMPLICIT_TLS_PORT and (mode in {"none", "opportunistic", "starttls"} or given.get("use_tls") is False):
        name = "tls" if given.has("tls") else "use_tls"
        yield given.problem(
            "W211",
            f"port {IMPLICIT_TLS_PORT} speaks TLS from the first byte, and `{name}` says otherwise",
            name,
            related=(Label(given.value("smtp_port"), "TLS from the start"),),
            notes=(advice('use `"use_tls": true`, or port 587 with `"tls": "starttls"`'),),
        )
    for name in ("verify_peer", "verify_host"):
        if given.get(name) is False and given.get("insecure") is not True:
            yield given.problem(
                "E214",
                f"`{name}` is off but `insecure` is not set",
                name,
                label="anyone on the way could read the login and the mail",
                notes=(
                    advice("trust the server's own authority with `ca_file`"),
                    advice('or write `"insecure": true` beside it; every start then warns'),
                ),
            )
    if given.has("tls_client_key") and not given.has("tls_client_cert"):
        yield given.problem(
            "E204",
            "`tls_client_cert` is missing beside `tls_client_key`",
            "tls_client_key",
            at="key",
            notes=(advice("name the certificate that belongs to the key"),),
        )


def encrypts(given: Given) -> bool | Unknown:
    """Whether the talk is certainly encrypted before a login."""
    use_tls, mode, url = given.get("use_tls"), given.get("tls"), given.get("url")
    for value in (use_tls, mode, url):
        if isinstance(value, Unknown):
            return value
    return use_tls is True or mode in {"starttls", "implicit"} or (isinstance(url, str) and url.startswith("smtps:"))


def is_local(host: str) -> bool:
    """Whether a name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _clear_login(given: Given) -> Iterator[Problem]:
    host: object = given.get("smtp_server", "localhost")
    if url := given.text("url"):
        host = None if url_fault(url) else urlsplit(url).hostname
    if given.has("socket") or given.has("servers") or not isinstance(host, str) or is_local(host):
        return
    name = "smtp_username" if given.has("smtp_username") else "oauth"
    if not given.has(name) or encrypts(given) is not False or given.get("allow_plaintext_auth", False) is not False:
        return
    place = "url" if given.has("url") else "smtp_server"
    yield given.problem(
        "E212",
        f"the login would cross the network in clear to `{host}`",
        name,
        at="key",
        label="no `use_tls` protects this login",
        related=(Label(given.value(place), "not this machine"),),
        notes=(
            advice('add `"use_tls": true`'),
            advice('or say that it may: `"allow_plaintext_auth": true`'),
        ),
    )
