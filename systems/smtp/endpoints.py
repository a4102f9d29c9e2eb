"""Where to connect and how, made of what is declared. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from pipeline.secret import Secret
from systems.smtp.form_rules import is_local
from systems.smtp.rules import IMPLICIT_TLS_PORT, RELAY_PORT

if TYPE_CHECKING:
    from systems.smtp.config import OAuthConfig, ServerConfig, SmtpConfig, Tls

# What `settings.starttls` is for each mode.
_starttls: Final[dict[Tls, Literal["never", "if_offered", "required"]]] = {
    "none": "never",
    "implicit": "never",
    "opportunistic": "if_offered",
    "starttls": "required",
}


@dataclass(frozen=True, slots=True)
class TlsSpec:
    """How to make the connection private, and whom to trust."""

    mode: Tls = "none"
    verify_peer: bool = True
    verify_host: bool = True
    ca_file: str | None = None
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    client_key_password: Secret | None = None
    minimum_version: Literal["1.2", "1.3"] = "1.2"

    @property
    def starttls(self) -> Literal["never", "if_offered", "required"]:
        """What to do with STARTTLS."""
        return _starttls[self.mode]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server. `socket` is the path of a Unix socket, and then `host` is only a name for people."""

    host: str
    port: int
    tls: TlsSpec
    user: Secret | None = None
    password: Secret | None = None
    socket: str | None = None

    @property
    def name(self) -> str:
        """What it is called in answers and logs."""
        if self.socket is not None:
            return self.socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether it is declared to be on this machine."""
        return self.socket is not None or is_local(self.host)


def endpoints(config: SmtpConfig) -> tuple[Endpoint, ...]:
    """The servers of a configuration that passed its check, in their order and each of them once."""
    unique: dict[str, Endpoint] = {}
    for server in config.servers or (config,):
        endpoint = _endpoint(config, server)
        unique.setdefault(endpoint.name, endpoint)
    return tuple(unique.values())


def _endpoint(config: SmtpConfig, server: SmtpConfig | ServerConfig) -> Endpoint:
    host, port, encrypted = server.smtp_server, server.smtp_port, False
    if server.url is not None:
        parts = urlsplit(server.url)
        encrypted = parts.scheme == "smtps"
        host = parts.hostname
        port = parts.port or (IMPLICIT_TLS_PORT if encrypted else RELAY_PORT)
    host = (host or config.smtp_server).strip("[]")
    port = port or config.smtp_port
    if encrypted:
        mode: Tls = "implicit"
    else:
        mode = server.tls or config.tls or _mode(config.use_tls, port)
    own = server.smtp_username is not None or server.smtp_password is not None
    user = server.smtp_username if own else config.smtp_username
    password = server.smtp_password if own else config.smtp_password
    return Endpoint(
        host=host,
        port=port,
        tls=TlsSpec(
            mode=mode,
            verify_peer=config.verify_peer if server.verify_peer is None else server.verify_peer,
            verify_host=config.verify_host if server.verify_host is None else server.verify_host,
            ca_file=server.ca_file or config.ca_file,
            ca_path=config.ca_path,
            client_cert=config.tls_client_cert,
            client_key=config.tls_client_key,
            client_key_password=config.tls_client_key_password,
            minimum_version=config.tls_minimum_version,
        ),
        user=_secret(user),
        password=_secret(password),
        socket=None if config.servers else config.socket,
    )


def _mode(use_tls: bool | None, port: int) -> Tls:
    if not use_tls:
        return "none"
    return "implicit" if port == IMPLICIT_TLS_PORT else "starttls"


def _secret(value: str | Secret | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value


def has_login(endpoint: Endpoint, oauth: OAuthConfig | None) -> bool:
    """Whether to log in at this server."""
    return endpoint.user is not None and (endpoint.password is not None or oauth is not None)
