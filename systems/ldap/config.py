"""Directories as declared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from pipeline.component import Advice, Context, SystemConfig
from pipeline.config.given import advice
from pipeline.secret import Secret
from systems.forms import form_problem, host_form, path_faults
from systems.sql.config import missing_package

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.ldap.system import Ldap

Port = Annotated[int, Advice("no such TCP port", usual=(389, 636, 3269)), Field(ge=1, le=65535)]
Seconds = Annotated[float, Advice("not a time", ("write seconds: 30 or 0.5",)), Field(gt=0, le=86_400)]

_on_this_machine: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class LdapConfig(SystemConfig):
    """A directory that speaks LDAP 3, such as OpenLDAP or Active Directory."""

    type: Literal["system:ldap"]
    """`system:ldap`."""
    host: str
    """Host name or address of the server."""
    port: Port | None = None
    """TCP port. Default: 636 with `ldaps`, otherwise 389."""
    tls: Literal["ldaps", "starttls", "off"] = "ldaps"
    """How TLS begins: with the connection (`ldaps`), on an open one (`starttls`), or never (`off`)."""
    username: str | Secret | None = None
    """The DN that logs in: `cn=reader,dc=example,dc=com`; Active Directory takes `reader@example.com` too. Without it
    nobody logs in."""
    password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    allow_plaintext_auth: bool = False
    """Whether the login may cross a network in clear. Never needed for a server on this machine."""
    verify_ssl: bool = True
    """Whether the server's certificate must be trusted and name the server."""
    ca_file: str | None = None
    """A PEM file with the authorities to trust. Default: those of the machine."""
    connect_timeout: Seconds = 10
    """Seconds to reach the server."""
    timeout: Seconds = 30
    """Seconds to wait for an answer."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Host and path can be what they are for; a login is whole, and does not cross a network in clear."""
        yield from missing_package(given, "ldap3", "ldap")
        yield from path_faults(given, ("ca_file",))
        host = given.text("host")
        if host is not None and (wrong := host_form(host)):
            yield form_problem(given, "host", wrong)
        for name, other, written in (("password", "username", '"…"'), ("username", "password", '"$SECRET(…)"')):
            if given.has(name) and not given.has(other) and given.node.whole:
                help_ = advice(f'add `"{other}": {written}`')
                yield given.problem("E206", f"`{name}` without `{other}`", name, notes=(help_,))
        clear = given.get("tls") == "off" and host is not None and host not in _on_this_machine
        if clear and given.has("password") and given.get("allow_plaintext_auth") is not True:
            help_ = advice(
                'write "starttls" or "ldaps", or, if the network may be trusted with it, `"allow_plaintext_auth": true`'
            )
            yield given.problem("E212", "the login would cross the network in clear", "tls", notes=(help_,))

    def build(self, context: Context) -> Ldap:
        """The system at work."""
        from systems.ldap.system import Ldap, Settings  # noqa: PLC0415 - the client is for those who connect

        settings = Settings(
            self.host,
            self.port or (636 if self.tls == "ldaps" else 389),
            self.tls,
            _revealed(self.username),
            _revealed(self.password),
            verify=self.verify_ssl,
            ca_file=None if self.ca_file is None else str(Path(context.root, self.ca_file)),
            connect_timeout=self.connect_timeout,
            timeout=self.timeout,
        )
        return Ldap(self.id, settings)


def _revealed(value: Secret | str | None) -> str | None:
    return value.reveal() if isinstance(value, Secret) else value
