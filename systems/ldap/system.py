"""A directory at work: a login, and searches that are answered a page at a time."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from systems.ldap.types import Kind, kinds

with warnings.catch_warnings():
    # It asks for names of pyasn1 which that calls old.
    warnings.filterwarnings("ignore", r"(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3  # type: ignore[import-untyped]
    from ldap3.core.exceptions import LDAPExceptionError  # type: ignore[import-untyped]

_PAGES: Final = "1.2.840.113556.1.4.319"  # RFC 2696
_SUCCESS: Final = 0


class LdapError(Exception):
    """What a directory said, or why it said nothing. No value of an entry is in it."""

    def __init__(self, text: str) -> None:
        """`text` is the rest of a sentence about the directory."""
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Where it is, and how to get there. It is not to be printed: it holds a password."""

    host: str
    port: int
    tls: str
    username: str | None = None
    password: str | None = None
    verify: bool = True
    ca_file: str | None = None
    connect_timeout: float = 10.0
    timeout: float = 30.0

    def context(self) -> ssl.SSLContext:
        """How to speak TLS. `LdapError` for a file without use."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise LdapError(f"the certificates cannot be read: {self.ca_file}: {error.strerror or error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Found(NamedTuple):
    """An entry: its name, and the values of its attributes as they come."""

    dn: str
    values: Mapping[str, Sequence[bytes]]


class Search(NamedTuple):
    """What is asked for. A `page` of 0 asks for all at once."""

    base: str
    filter: str
    scope: str = "SUBTREE"
    attributes: Sequence[str] = ("*",)
    page: int = 500


class Ldap:
    """The system: each reading has a connection of its own."""

    def __init__(self, name: str, settings: Settings) -> None:
        """Nothing is connected yet."""
        self.name = name
        self._settings = settings

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Who opens something closes it."""

    @contextmanager
    def reading(self) -> Iterator[Directory]:
        """A connection that is logged in. `LdapError` for all that fails."""
        with _telling():
            connection = self._open()
            try:
                yield Directory(connection)
            finally:
                with suppress(LDAPExceptionError, OSError):
                    connection.unbind()
                connection.socket = None

    def _open(self) -> Any:  # noqa: ANN401 - as the client has it
        settings = self._settings
        tls = None if settings.tls == "off" else _Tls(settings.context(), settings.host)
        server = ldap3.Server(
            settings.host,
            settings.port,
            use_ssl=settings.tls == "ldaps",
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=settings.connect_timeout,
        )
        connection = _Connection(
            server,
            settings.username,
            settings.password,
            authentication=ldap3.ANONYMOUS if settings.username is None else ldap3.SIMPLE,
            receive_timeout=max(1, round(settings.timeout)),  # it takes whole seconds only
            # A referral would take the login to whatever server it names.
            auto_referrals=False,
            read_only=True,
            check_names=False,
            return_empty_attributes=False,
        )
        try:
            connection.open(read_server_info=False)
            if settings.tls == "starttls":
                connection.start_tls(read_server_info=False)
            _log_in(connection)
        except BaseException:
            connection.socket = None
            raise
        return connection


class Directory:
    """A connection that is logged in."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - as above
        """Nothing is asked yet."""
        self._connection = connection

    def kinds(self) -> dict[str, Kind]:
        """What its schema says of attributes; nothing where it hides that."""
        for one in self._values("", "subschemaSubentry"):
            return kinds(text.decode("utf-8", "replace") for text in self._values(one.decode(), "attributeTypes"))
        return {}

    def _values(self, dn: str, name: str) -> Sequence[bytes]:
        wanted = "(objectClass=*)" if not dn else "(objectClass=subschema)"
        self._connection.search(dn, wanted, ldap3.BASE, attributes=[name])
        found = [one["raw_attributes"] for one in self._connection.response or () if "raw_attributes" in one]
        return [value for values in found for key in values if key.lower() == name.lower() for value in values[key]]

    def pages(self, search: Search) -> Iterator[list[Found]]:
        """The entries, a page at a time. An answer that is not all there is ends in an `LdapError`."""
        cookie: bytes | None = None
        while True:
            self._connection.search(
                search.base,
                search.filter,
                search.scope,
                attributes=list(search.attributes),
                paged_size=search.page or None,
                paged_criticality=True,
                paged_cookie=cookie,
            )
            result = self._connection.result
            if found := [_found(one) for one in self._connection.response or () if one["type"] == "searchResEntry"]:
                yield found
            if result["result"] != _SUCCESS:
                raise LdapError(f"refuses the search: {_said(result)}")
            cookie = result.get("controls", {}).get(_PAGES, {}).get("value", {}).get("cookie")
            if not cookie:
                return


class _Connection(ldap3.Connection):  # type: ignore[misc]
    """A connection that leaves no socket open: the client forgets those that come to nothing."""

    _socket: Any = None

    @property
    def socket(self) -> Any:  # noqa: ANN401 - as above
        """The one in use."""
        return self._socket

    @socket.setter
    def socket(self, new: Any) -> None:  # noqa: ANN401 - as above
        # Around one that TLS has taken over there is nothing left to close.
        old, self._socket = self._socket, new
        if old is not None and old is not new:
            old.close()


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS by a context of ours, which looks at the name in the certificate before anything is sent."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=context.verify_mode)
        self._context = context
        self._host = host

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ANN401 - as above
        connection.socket = self._context.wrap_socket(
            connection.socket, do_handshake_on_connect=do_handshake, server_hostname=self._host
        )


def _log_in(connection: Any) -> None:  # noqa: ANN401 - as above
    if not connection.bind(read_server_info=False):
        raise LdapError(f"refuses the login: {_said(connection.result)}")


def _found(one: Mapping[str, Any]) -> Found:
    values: Mapping[str, Sequence[bytes]] = one["raw_attributes"]
    for name in values:
        if ";range=" in name:
            raise LdapError(f"gives a part of the values of `{name.partition(';')[0]}` only, at {one['dn']}")
    return Found(one["dn"], values)


def _said(result: Mapping[str, Any]) -> str:
    return " ".join(f"{result['description']} ({result['result']}) {result['message'] or ''}".split())


@contextmanager
def _telling() -> Iterator[None]:
    """Turn what the library raises into `LdapError`."""
    try:
        yield
    except (LDAPExceptionError, OSError) as error:
        raise LdapError(" ".join(str(error).split()) or type(error).__name__) from None
