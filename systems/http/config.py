"""Services on the web as declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field

from pipeline.component import Advice, Context, Many, Part, SystemConfig
from pipeline.config.given import advice
from pipeline.config.tree import Object
from pipeline.secret import Secret
from systems.forms import file_faults, host_form, invisible
from systems.http.operations import relative_faults

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.http.client import Http
    from systems.http.exchange import Settings

Seconds = Annotated[float, Advice("not a time", ("write seconds: 30 or 0.5",)), Field(gt=0, le=86_400)]
_on_this_machine = frozenset({"localhost", "127.0.0.1", "::1"})


class OAuth2Config(Part):
    """A token that the service's provider gives out to programs: for name and password, or for a `refresh_token`."""

    client_id: str | Secret
    """The name of this program at the provider."""
    client_secret: Secret | str
    """Its password. Write a `$SECRET()`."""
    token_url: str
    """Where tokens are given out: a whole URL."""
    scope: str | Many[str] = ()
    """What the token is to be good for: one scope, or a list."""
    refresh_token: Secret | str | None = None
    """What a person has allowed this program once: tokens are fetched with it (the grant "refresh token"). Write a
    `$SECRET()`."""
    extra: dict[str, str | Secret] = Field(default_factory=dict)
    """Further fields of the request for a token, such as `audience`."""
    refresh_window: float = Field(default=30, ge=0, le=86_400)
    """How many seconds before its end a token is replaced."""
    client_auth: Literal["header", "body"] = "header"
    """Where the provider wants name and password: in the header `Authorization`, or among the fields."""


class HttpSystemConfig(SystemConfig):
    """What services that are asked over HTTP have in common."""

    url_pattern: str
    """The URL of the service; `%s` is where the relative URL of a source or sink goes, else it is put behind."""
    headers: dict[str, str | Secret] = Field(default_factory=dict)
    """Headers of every request. Those that hold keys are a `$SECRET()`."""
    authentication: Literal["basic", "digest", "jwt", "token"] | None = None
    """How to log in: `basic` or `digest`, with `username` and `password`; `jwt`, with `jwt_token`; `token`, with
    `token`."""
    username: str | Secret | None = None
    """The user name of the login."""
    password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    jwt_token: Secret | str | None = None
    """The token of the login, which goes behind the word `Bearer`. Write a `$SECRET()`."""
    token: Secret | str | None = None
    """The token of the login, which goes behind the word that `token_scheme` says. Write a `$SECRET()`."""
    token_scheme: str = Field(default="Token", pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]*$")
    """The word before the `token` in the header `Authorization`; `""` for none."""
    oauth2: OAuth2Config | None = None
    """A provider that gives out tokens; one is fetched when it is needed, and another one when its time is over."""
    secret_path: Secret | str | None = None
    """The end of the path, where that is a key, as in the URL of a webhook: it goes behind every relative URL, and is
    shown nowhere. Write a `$SECRET()`."""
    allow_plaintext_auth: bool = False
    """Whether the login may cross a network in clear. Never needed for a server on this machine."""
    proxies: dict[str, str | Secret] = Field(default_factory=dict)
    """The proxy for URLs that begin with `http`, and the one for `https`: `http://proxy:3128`, `socks5://proxy:1080`,
    with `user:password@` before the name where it wants a login. It looks names up, so what they lead to is for it to
    judge."""
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
        yield from _url(given, "url_pattern")
        yield from _login(given)
        for part in given.parts("oauth2"):
            yield from _url(part, "token_url")
        yield from _proxies(given)
        yield from _in_clear(given)

    def settings(self) -> Settings:
        """What the client is told."""
        from systems.http.exchange import OAuth2, Settings  # noqa: PLC0415 - as below

        kind, wanted = self.authentication, self.oauth2
        oauth2 = None
        if wanted is not None:
            scopes = (wanted.scope,) if isinstance(wanted.scope, str) else wanted.scope
            oauth2 = OAuth2(
                wanted.client_id,
                wanted.client_secret,
                wanted.token_url,
                scopes,
                wanted.extra,
                wanted.refresh_window,
                wanted.client_auth == "body",
                wanted.refresh_token,
            )
        return Settings(
            self.url_pattern,
            self.headers,
            (self.username or "", self.password or "") if kind in {"basic", "digest"} else None,
            self.jwt_token if kind == "jwt" else self.token if kind == "token" else None,
            self.verify_ssl,
            self.custom_ca_pem_chain,
            self.allow_private,
            self.connect_timeout,
            self.read_timeout,
            self.rate_limiting_retries,
            self.rate_limiting_delay,
            kind == "digest",
            self.token_scheme if kind == "token" else "Bearer",
            oauth2,
            self.proxies,
            self.secret_path,
        )

    def build(self, context: Context) -> Http:
        """The system at work."""
        from systems.http.client import Http  # noqa: PLC0415 - sockets are for those who connect

        return Http(self.id, self.settings())


class UrlConfig(HttpSystemConfig):
    """A service that is asked over HTTP."""

    type: Literal["system:url"]
    """`system:url`."""


def place_faults(given: Given, example: str) -> Iterable[Problem]:
    """What is wrong with `path`, a file of the project, or `system` and `url`: one of the two is there."""
    yield from file_faults(given, "path")
    if given.node.whole and not given.has("path") and not given.has("system"):
        help_ = advice(f'add `"path": "{example}"`, or a `system` and a `url`')
        yield given.problem("E204", "there is no `path` and no `system`", "path", notes=(help_,))
    if given.has("path") and given.has("system"):
        yield given.problem("E209", "`path` and `system` exclude each other", "system", at="key")
    yield from relative_faults(given, "url")


_needs: Final = {
    "basic": ("username", "password"),
    "digest": ("username", "password"),
    "jwt": ("jwt_token",),
    "token": ("token",),
}
_ways: Final = {"username": "basic", "password": "basic", "jwt_token": "jwt", "token": "token"}


def _login(given: Given) -> Iterable[Problem]:
    kind = given.text("authentication") or ""
    for name in _needs.get(kind, ()):
        if not given.has(name) and given.node.whole:
            message = f"`authentication` {kind} needs `{name}`"
            yield given.problem("E204", message, "authentication", notes=(advice(f'add `"{name}": "…"`'),))
    for name, way in _ways.items():
        if given.has(name) and not given.has("authentication"):
            help_ = advice(f'add `"authentication": "{way}"`')
            yield given.problem("E204", f"`{name}` without `authentication`", name, at="key", notes=(help_,))
    if kind and given.has("oauth2"):
        yield given.problem("E209", "`authentication` and `oauth2` exclude each other", "oauth2", at="key")


def _url(given: Given, name: str) -> Iterable[Problem]:
    text = given.text(name)
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
        example = "https://api.example.com/v1/%s" if name == "url_pattern" else "https://login.example.com/token"
        yield given.problem("E203", f"`{name}` {words}", name, notes=(advice(f'such as "{example}"'),))


def _proxies(given: Given) -> Iterable[Problem]:
    from systems.http.proxies import proxy_of  # noqa: PLC0415 - only those who have one

    member = given.node.members.get("proxies")
    values = given.get("proxies")
    if member is None or not isinstance(member.value, Object) or not isinstance(values, dict):
        return
    for name, value in values.items():
        at = member.value.members.get(name)
        if at is None:
            continue
        if name not in {"http", "https"}:
            help_ = advice('proxies are for "http" and for "https"')
            yield given.problem(
                "E203", f"`{name}` is no kind of URL", "proxies", at=given.document.span(at.key), notes=(help_,)
            )
        elif isinstance(value, str):
            try:
                proxy_of(value)
            except ValueError as error:
                place = given.document.span(at.value)
                help_ = advice('such as "http://proxy.example.com:3128" or "socks5://127.0.0.1:1080"')
                yield given.problem("E203", f"the proxy for {name} {error}", "proxies", at=place, notes=(help_,))


def _in_clear(given: Given) -> Iterable[Problem]:
    if given.get("allow_plaintext_auth") is True:
        return
    notes = (advice('write https://, or, if the network may be trusted with it, `"allow_plaintext_auth": true`'),)
    # A digest does not show the password to those who listen.
    open_ = given.has("password") and given.text("authentication") != "digest"
    if _is_clear(given.text("url_pattern")) and (
        open_ or any(given.has(name) for name in ("jwt_token", "token", "oauth2", "secret_path"))
    ):
        yield given.problem("E212", "the login would cross the network in clear", "url_pattern", notes=notes)
    for part in given.parts("oauth2"):
        if _is_clear(part.text("token_url")):
            yield part.problem("E212", "the login would cross the network in clear", "token_url", notes=notes)


def _is_clear(text: str | None) -> bool:
    try:
        parts = urlsplit(text or "")
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname not in _on_this_machine
