"""What the properties of `system:smtp` say together, and where they contradict each other. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.config.given import UNKNOWN, Unknown, advice, note
from pipeline.errors import Label
from systems.forms import host_form
from systems.smtp.form_rules import form_faults, is_local, oauth_faults, url_fault

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
_login_names = ("smtp_username", "smtp_password")
# What a server of several takes from the system when it says nothing of its own.
_inherited = ("use_tls", "tls", "oauth", "allow_plaintext_auth", "insecure")


def faults(given: Given) -> Iterator[Problem]:
    """Every contradiction, over the properties that are right so far."""
    yield from form_faults(given)
    yield from _login(given)
    yield from _excluding(given)
    if not given.has("servers"):
        yield from _tls(given)
        yield from _clear_login(given)
    yield from _verifying(given)
    yield from _client_key(given)
    yield from _servers(given)
    yield from oauth_faults(given)
    if given.get("max_per_hour") == 0:
        yield given.problem(
            "W215",
            "`max_per_hour` is 0, so this system sends nothing",
            "max_per_hour",
            label="every mail is over this limit",
            notes=(advice("set it to what the provider allows; 0 is for a system that must stay silent"),),
        )


def _servers(given: Given) -> Iterator[Problem]:
    """Each server by the rules of a system, with what it takes from the system."""
    if given.get("servers") == []:
        yield given.problem(
            "E203",
            "`servers` is empty",
            "servers",
            label="no server",
            notes=(advice('write at least one, [{"smtp_server": "mail.example.com"}], or leave `servers` out'),),
        )
    for server in given.parts("servers"):
        if not (server.has("smtp_server") or server.has("url")) and server.node.whole:
            yield server.problem(
                "E204",
                "`smtp_server` is missing in this server",
                "smtp_server",
                label="no `smtp_server` and no `url` in this object",
                notes=(advice('add `"smtp_server": "mail.example.com"`'),),
            )
            continue
        whole = _with_what_it_inherits(server, given)
        yield from form_faults(server)
        if _own_login(server):
            yield from _login(whole)
        yield from _excluding(server)
        yield from _tls(whole)
        yield from _clear_login(whole)
        yield from _verifying(whole)


def _own_login(server: Given) -> bool:
    """A login of its own is never mixed with the system's."""
    return any(server.has(name) for name in _login_names)


def _with_what_it_inherits(server: Given, system: Given) -> Given:
    names = _inherited if _own_login(server) else (*_inherited, *_login_names)
    values = {name: system.values.get(name) for name in names}
    if server.has("tls"):
        values["use_tls"] = None
    return replace(server, values=values | {name: item for name, item in server.values.items() if item is not None})


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


def _tls(given: Given) -> Iterator[Problem]:
    """Whether the two sides begin to talk in the same way."""
    mode, use_tls, port = given.get("tls"), given.get("use_tls"), _port(given)
    place = "url" if given.has("url") else "smtp_port"
    if mode == "implicit" and port == RELAY_PORT:
        yield given.problem(
            "W211",
            f'`tls` is "implicit" on port {RELAY_PORT}, where servers begin in the clear',
            "tls",
            notes=(advice('use port 465, or `"tls": "starttls"`'),),
        )
    elif port == IMPLICIT_TLS_PORT and (mode in {"none", "opportunistic", "starttls"} or use_tls is False):
        name = "tls" if given.has("tls") else "use_tls"
        yield given.problem(
            "W211",
            f"port {IMPLICIT_TLS_PORT} speaks TLS from the first byte, and `{name}` says otherwise",
            name,
            related=(Label(given.value(place), "TLS from the start"),),
            notes=(advice('use `"use_tls": true`, or port 587 with `"tls": "starttls"`'),),
        )
    elif port == IMPLICIT_TLS_PORT and mode is None and use_tls is None and encrypts(given) is False:
        yield given.problem(
            "W211",
            f"port {IMPLICIT_TLS_PORT} speaks TLS from the first byte, and no TLS is asked for",
            place,
            label="the server waits for TLS",
            notes=(advice('add `"use_tls": true`'),),
        )


def _port(given: Given) -> object:
    """The TCP port, as far as it is known."""
    if not given.has("url"):
        return given.get("smtp_port", RELAY_PORT)
    url = given.text("url")
    if url is None or url_fault(url):
        return UNKNOWN
    parts = urlsplit(url)
    return parts.port or (IMPLICIT_TLS_PORT if parts.scheme == "smtps" else RELAY_PORT)


def _verifying(given: Given) -> Iterator[Problem]:
    for name in ("verify_peer", "verify_host"):
        if given.get(name) is False and given.get("insecure", False) is False:
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


def _client_key(given: Given) -> Iterator[Problem]:
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


def _clear_login(given: Given) -> Iterator[Problem]:
    host: object = given.get("smtp_server", "localhost")
    if given.has("url"):
        url = given.text("url")
        host = None if url is None or url_fault(url) else urlsplit(url).hostname
    if given.has("socket") or not isinstance(host, str) or is_local(host) or host_form(host):
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
