"""Services on the web as declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from pipeline.component import Advice, Context, SystemConfig
from pipeline.config.given import advice
from pipeline.secret import Secret
from systems.forms import file_faults, host_form, invisible

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.http.client import Http

Seconds = Annotated[float, Advice("not a time", ("write seconds: 30 or 0.5",)), Field(gt=0, le=86_400)]
_on_this_machine = frozenset({"localhost", "127.0.0.1", "::1"})


class UrlConfig(SystemConfig):
    """A service that is asked over HTTP."""

    type: Literal["system:url"]
    """`system:url`."""
    url_pattern: str
    """The URL of the service; `%s` is where the relative URL of a source or sink goes, else it is put behind."""
    headers: dict[str, str | Secret] = Field(default_factory=dict)
    """Headers of every request. Those that hold keys are a `$SECRET()`."""
    authentication: Literal["basic", "jwt"] | None = None
    """How to log in: `basic`, with `username` and `password`, or `jwt`, with `jwt_token`."""
    username: str | Secret | None = None
    """The user name of the login."""
    password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    jwt_token: Secret | str | None = None
    """The token of the login. Write a `$SECRET()`."""
    allow_plaintext_auth: bool = False
    """Whether the login may cross a network in clear. Never needed for a server on this machine."""
    verify_ssl: bool = True
    """Whether the server's certificate must be trusted and name the server."""
    custom_ca_pem_chain: str | None = None
    """Certificates of authorities to trust, in PEM. Default: those of the machine."""
    allow_private: bool = False
    """Whether addresses may be reached that are not of the internet: this machine, private networks. Names and
    redirects that lead there are refused otherwise."""
    connect_timeout: Seconds = 60
    """Seconds to reach the server."""
    read_timeout: Seconds = 1800
    """Seconds to wait for the server to go on."""
    rate_limiting_retries: int = Field(default=0, ge=0, le=100)
    """How often a request is repeated that the server wants later (429 and 503)."""
    rate_limiting_delay: Seconds = 1
    """Seconds before it is repeated, unless the server says how many."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The URL is one of the web; a login is whole, and does not cross a network in clear."""
        yield from _url(given)
        needs = {"basic": ("username", "password"), "jwt": ("jwt_token",)}
        kind = given.text("authentication") or ""
        for name in needs.get(kind, ()):
            if not given.has(name) and given.node.whole:
                message = f"`authentication` {kind} needs `{name}`"
                yield given.problem("E204", message, "authentication", notes=(advice(f'add `"{name}": "…"`'),))
        for name in ("username", "password", "jwt_token"):
            if given.has(name) and not given.has("authentication"):
                kind = "jwt" if name == "jwt_token" else "basic"
                help_ = advice(f'add `"authentication": "{kind}"`')
                yield given.problem("E204", f"`{name}` without `authentication`", name, at="key", notes=(help_,))
        yield from _in_clear(given)

    def build(self, context: Context) -> Http:
        """The system at work."""
        from systems.http.client import Http, Settings  # noqa: PLC0415 - sockets are for those who connect

        basic = (self.username or "", self.password or "") if self.authentication == "basic" else None
        return Http(
            self.id,
            Settings(
                self.url_pattern,
                self.headers,
                basic,
                self.jwt_token if self.authentication == "jwt" else None,
                self.verify_ssl,
                self.custom_ca_pem_chain,
                self.allow_private,
                self.connect_timeout,
                self.read_timeout,
                self.rate_limiting_retries,
                self.rate_limiting_delay,
            ),
        )


def place_faults(given: Given, example: str) -> Iterable[Problem]:
    """What is wrong with `path`, a file of the project, or `system` and `url`: one of the two is there."""
    yield from file_faults(given, "path")
    if given.node.whole and not given.has("path") and not given.has("system"):
        help_ = advice(f'add `"path": "{example}"`, or a `system` and a `url`')
        yield given.problem("E204", "there is no `path` and no `system`", "path", notes=(help_,))
    if given.has("path") and given.has("system"):
        yield given.problem("E209", "`path` and `system` exclude each other", "system", at="key")
    yield from _relative_faults(given, "url")


def _relative_faults(given: Given, name: str) -> Iterable[Problem]:
    """E203 for a URL of a source or sink that names a server: that is for the system to say."""
    url = given.text(name) or ""
    if "://" in url or url.startswith("//"):
        help_ = advice("put the server into `url_pattern` of the system")
        yield given.problem("E203", f"`{name}` is not relative to the system", name, notes=(help_,))


def _url(given: Given) -> Iterable[Problem]:
    text = given.text("url_pattern")
    if text is None:
        return
    words = None
    try:
        parts = urlsplit(text)
        if wrong := invisible(text):
            words = wrong.words
        elif parts.scheme not in {"http", "https"}:
            words = "begins neither with http:// nor with https://"
        elif parts.port == 0 or not parts.hostname:
            words = "names no server"
        elif parts.username is not None or parts.password is not None:
            words = "must not hold a login: use `username` and `password`"
        elif "%" not in parts.hostname and (odd := host_form(parts.hostname)):
            words = f"names a server that {odd.words}"
        elif "%s" in parts.netloc:
            words = "must name the server: `%s` stands behind it"
    except ValueError:
        words = "has a port or an address that is none"
    if words is not None:
        help_ = advice('such as "https://api.example.com/v1/%s"')
        yield given.problem("E203", f"`url_pattern` {words}", "url_pattern", notes=(help_,))


def _in_clear(given: Given) -> Iterable[Problem]:
    text = given.text("url_pattern") or ""
    try:
        host = urlsplit(text).hostname
    except ValueError:
        return
    if not text.startswith("http://") or host in _on_this_machine or given.get("allow_plaintext_auth") is True:
        return
    if given.has("password") or given.has("jwt_token"):
        notes = (advice('write https://, or, if the network may be trusted with it, `"allow_plaintext_auth": true`'),)
        yield given.problem("E212", "the login would cross the network in clear", "url_pattern", notes=notes)
