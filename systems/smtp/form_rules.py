"""Whether what `system:smtp` names outside of itself can be there: hosts, URLs, paths. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.config.given import advice
from pipeline.errors import Label
from systems.forms import Form, form_problem, host_form, invisible, path_faults, port_in
from systems.smtp.commands import host_name

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

_paths: Final = ("socket", "ca_file", "ca_path", "tls_client_cert", "tls_client_key")
_ways: Final = ("token", "command", "url")


def form_faults(given: Given) -> Iterator[Problem]:
    """E203 for each text that cannot be what its property needs; of a system, or of one of its servers."""
    if (text := given.text("smtp_server")) is not None and (wrong := host_form(text)):
        yield form_problem(given, "smtp_server", wrong, _meant(text))
    if (text := given.text("source_address")) is not None and (wrong := _local(text)):
        yield form_problem(given, "source_address", wrong)
    if (text := given.text("helo")) is not None and (wrong := _helo(text)):
        yield form_problem(given, "helo", wrong)
    if (text := given.text("url")) is not None and (words := url_fault(text)):
        how = advice("write smtp://mail.example.com:587, or smtps:// for TLS from the start")
        yield given.problem("E203", f"`url` {words}", "url", notes=(how,))
    yield from path_faults(given, _paths)


def _meant(text: str) -> Sequence[str]:
    """What to write for a server that has its port with it, or is a URL."""
    if text != text.strip() or invisible(text):
        return ()
    if "://" in text:
        if not url_fault(text):
            return (f'write "url": "{text}" in its place',)
        return ('write the name alone: "mail.example.com"',)
    parts = port_in(text)
    if parts and not host_form(parts[0]):
        return (f'write "smtp_server": "{parts[0]}", "smtp_port": {parts[1]}',)
    return ()


def _local(text: str) -> Form | None:
    """The operating system takes an address without brackets, or a name."""
    if wrong := host_form(text):
        return wrong
    if text.startswith("["):
        return Form("has brackets", 0, len(text), f'write "{text[1:-1]}"')
    return None


def _helo(text: str) -> Form | None:
    """A name, or an address in brackets (RFC 5321 section 4.1.1.1); what cannot be sent would not be."""
    if wrong := invisible(text):
        return wrong
    end = len(text)
    if text.startswith("["):
        right = text.endswith("]") and _is_address(text[1:-1].removeprefix("IPv6:"))
        return None if right else Form("is not an address in brackets", 0, end, 'write "[192.0.2.1]"')
    if _is_address(text):
        how = f'write "[IPv6:{text}]"' if ":" in text else f'write "[{text}]"'
        return Form("is an address without brackets", 0, end, how)
    if wrong := host_form(text):
        return wrong
    if not text.isascii():
        return Form("is not ASCII, and EHLO is", 0, end, "write the name as DNS has it, with `xn--`")
    if host_name(text) != text:
        return Form("is no name that EHLO can carry", 0, end, "letters, digits, `-` and `.`: mail.example.com")
    return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def url_fault(text: str) -> str | None:
    """What is wrong with the URL of a mail server."""
    if wrong := invisible(text):
        return wrong.words
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
    if wrong := host_form(parts.hostname):
        return f"names a server that {wrong.words}"
    return None


def is_local(host: str) -> bool:
    """Whether a name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    inner = host.strip("[]")
    return _is_address(inner) and ip_address(inner).is_loopback


def oauth_faults(given: Given) -> Iterator[Problem]:
    """A token comes in one of three ways, and the refresh token goes to an endpoint that nobody listens to."""
    for oauth in given.parts("oauth"):
        ways = [name for name in _ways if oauth.has(name)]
        if not ways and oauth.node.whole:
            how = 'add `"token": "$SECRET(token)"`, a `command` that prints one, or the `url` of a token endpoint'
            label = "no `token`, no `command` and no `url`"
            yield oauth.problem(
                "E204", "nothing says where the token comes from", "", label=label, notes=(advice(how),)
            )
        for other in ways[1:]:
            yield oauth.problem(
                "E209",
                f"`{ways[0]}` and `{other}` are both set",
                other,
                at="key",
                label="another way to the token",
                related=(Label(oauth.key(ways[0]), "one way to the token"),),
                notes=(advice("keep one of them: `mailweir explain system:smtp.oauth`"),),
            )
        if oauth.get("command") == []:
            how = 'write the program and its arguments: ["print-token", "--account", "mail"]'
            yield oauth.problem("E203", "`command` is empty", "command", notes=(advice(how),))
        url = oauth.text("url")
        if url is not None and (words := _token_url_fault(url)):
            how = "write the whole URL: https://login.example.com/token"
            yield oauth.problem("E203", f"`url` {words}", "url", notes=(advice(how),))
        if oauth.has("url") and not oauth.has("refresh_token") and oauth.node.whole:
            how = 'add `"refresh_token": "$SECRET(refresh-token)"`'
            yield oauth.problem(
                "E204", "`refresh_token` is missing beside `url`", "url", at="key", notes=(advice(how),)
            )


def _token_url_fault(text: str) -> str | None:
    if wrong := invisible(text):
        return wrong.words
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has a port that is no number between 1 and 65535"
    if not host or parts.scheme not in {"http", "https"}:
        return "must be an https:// URL"
    if wrong := host_form(host):
        return f"names a server that {wrong.words}"
    if parts.scheme == "http" and not is_local(host):
        return "must be https: the refresh token goes there"
    return None
