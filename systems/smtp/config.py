"""`system:smtp` as declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Advice, Many, Part
from pipeline.secret import Secret
from systems.mail import MailSystemConfig
from systems.smtp.rules import faults

if TYPE_CHECKING:
    from pipeline.component import Context
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.smtp.system import SmtpSystem

Port = Annotated[
    int,
    Advice(
        "no such TCP port",
        ("mail servers listen on 25 (relay), 587 (login, STARTTLS) or 465 (TLS from the start)",),
        (25, 587, 465, 2525),
    ),
    Field(ge=1, le=65535),
]
Tls = Literal["none", "opportunistic", "starttls", "implicit"]
Mechanism = Literal["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"]
Seconds = Annotated[float, Advice("not a time", ("write seconds: 30 or 0.5",)), Field(gt=0, le=86_400)]


class OAuthConfig(Part):
    """How to get the access token for XOAUTH2 and OAUTHBEARER: one of the three ways."""

    token: Secret | None = None
    """A token that does not expire while the system runs."""
    command: Many[str] | None = None
    """A command that prints a token."""
    url: str | None = None
    """The token endpoint that exchanges the refresh token."""
    client_id: str | None = None
    """The client at the token endpoint."""
    client_secret: Secret | None = None
    """The client's secret."""
    refresh_token: Secret | None = None
    """The refresh token."""
    scope: str | None = None
    """The scope to ask for."""


class ServerConfig(Part):
    """One of several servers; what is not written comes from the system."""

    url: str | None = None
    """`smtp://host:port` or `smtps://host:port`, instead of server and port."""
    smtp_server: str | None = None
    """Host name or address."""
    smtp_port: Port | None = None
    """TCP port."""
    smtp_username: str | Secret | None = None
    """The user name of the login at this server."""
    smtp_password: Secret | str | None = None
    """The password of the login at this server."""
    tls: Tls | None = None
    """As in the system."""
    verify_peer: bool | None = None
    """As in the system."""
    verify_host: bool | None = None
    """As in the system."""
    ca_file: str | None = None
    """As in the system."""


class TimeoutsConfig(Part):
    """Seconds for each phase of the talk; RFC 5321 section 4.5.3.2 has the reasons for the large ones."""

    greeting: Seconds = 300
    """Until the server's first line."""
    tls: Seconds = 30
    """For the TLS handshake."""
    login: Seconds = 60
    """For each step of the login."""
    mail: Seconds = 300
    """For the answer to MAIL FROM."""
    recipient: Seconds = 300
    """For the answer to each RCPT TO."""
    data: Seconds = 120
    """For the answer to DATA."""
    block: Seconds = 180
    """For each block of the message to be taken."""
    dot: Seconds = 600
    """For the answer after the final dot."""
    quit: Seconds = 10
    """For the answer to QUIT."""


class SmtpConfig(MailSystemConfig):
    """A mail server, or several of which the first that works is used."""

    type: Literal["system:smtp"]
    """`system:smtp`."""

    smtp_server: str = "localhost"
    """Host name or address of the mail server."""
    smtp_port: Port = 25
    """TCP port: 25 for a relay, 587 for login with STARTTLS, 465 for TLS from the start."""
    url: str | None = None
    """`smtp://host:port` or `smtps://host:port`, instead of `smtp_server` and `smtp_port`."""
    socket: str | None = None
    """Path of a Unix socket on which the server listens, instead of host and port. A relative path starts in the
    project."""
    servers: Many[ServerConfig] | None = None
    """Several servers, tried in order; one that does not answer is passed over and probed again later."""
    smtp_username: str | Secret | None = None
    """The user name of the login; without one no login is tried."""
    smtp_password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    use_tls: bool | None = None
    """true: TLS, required and verified: from the start on port 465, by STARTTLS on others. false: no TLS."""
    max_message_bytes: int | None = Field(default=None, ge=1)
    """Refuse larger messages before they are tried. Default: what the server says."""

    tls: Tls | None = None
    """`none`; `opportunistic`: STARTTLS when offered; `starttls`: required; `implicit`: from the first byte."""
    verify_peer: bool = True
    """Whether the server's certificate must come from a trusted authority."""
    verify_host: bool = True
    """Whether the server's certificate must name the server."""
    insecure: bool = False
    """Must be true to turn `verify_peer` or `verify_host` off; every start then warns."""
    ca_file: str | None = None
    """A PEM file with the authorities to trust."""
    ca_path: str | None = None
    """A folder with the authorities to trust, named by hash."""
    tls_client_cert: str | None = None
    """A PEM file with the certificate to show to the server."""
    tls_client_key: str | None = None
    """A PEM file with the key of `tls_client_cert`."""
    tls_client_key_password: Secret | None = None
    """The passphrase of `tls_client_key`."""
    tls_minimum_version: Literal["1.2", "1.3"] = "1.2"
    """The oldest TLS version to accept."""

    auth: Many[Mechanism] | None = None
    """The login mechanisms to use, in order. Default: the strongest that the server offers."""
    oauth: OAuthConfig | None = None
    """The access token for XOAUTH2 and OAUTHBEARER."""
    allow_plaintext_auth: bool = False
    """Whether the login may cross a network in clear. Never needed for a server on this machine."""

    helo: str | None = None
    """The name this machine gives itself in EHLO. Default: its host name."""
    source_address: str | None = None
    """The local address to connect from."""
    pipelining: Literal["TRY", "DEPEND", "NO"] = "TRY"
    """Send commands without waiting for each answer: when offered, always required, or never."""
    chunking: bool = False
    """Use BDAT when the server offers it."""
    smtputf8: bool = True
    """Use SMTPUTF8 for addresses that need it, when the server offers it."""
    xverp: bool | Literal["if_offered"] = False
    """Ask the server for a return path of its own for each recipient (XVERP): required, never, or when offered."""
    dsn_notify: Many[Literal["NEVER", "SUCCESS", "FAILURE", "DELAY"]] | None = None
    """Which delivery reports to ask for (RFC 3461). Default: what the server does by itself."""
    dsn_return: Literal["FULL", "HDRS"] | None = None
    """How much of the message a delivery report brings back."""
    verbose: bool = False
    """Log the talk with the server; what belongs to the login is masked."""

    connections: int = Field(default=10, ge=1, le=1000)
    """The most connections at once."""
    messages_per_connection: int = Field(default=1000, ge=1)
    """A connection is closed after so many messages."""
    idle_timeout: Seconds = 30
    """A connection without work is closed after this many seconds."""
    connection_max_age: Seconds = 600
    """A connection is not used for new messages after this many seconds."""
    connection_timeout: Seconds = 30
    """Seconds to reach the server, over all of its addresses."""
    message_timeout: Seconds = 1800
    """Seconds for one message from MAIL FROM to the answer after the dot."""
    minimum_data_rate: int = Field(default=500, ge=0)
    """Bytes per second below which a server that takes a message counts as stuck; 0 turns this off."""
    timeouts: TimeoutsConfig = Field(default_factory=TimeoutsConfig)
    """Seconds for each phase."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """What two properties say together."""
        return faults(given)

    def build(self, context: Context) -> SmtpSystem:
        """The system at work."""
        from systems.smtp.build import build  # noqa: PLC0415 - sockets are for those who connect

        return build(self, context.root)
