"""Twilio as declared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field

from pipeline.component import Advice, Context
from pipeline.config.given import advice
from pipeline.secret import Secret
from systems.sms import SmsSystemConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.twilio.system import Twilio

HOME: Final = "https://api.twilio.com"
Seconds = Annotated[float, Advice("not a time", ("write seconds: 30 or 0.5",)), Field(gt=0, le=3600)]
_on_this_machine = frozenset({"localhost", "127.0.0.1", "::1"})
_account: Final = re.compile("[A-Za-z0-9]{1,64}")


class TwilioConfig(SmsSystemConfig):
    """Twilio, which carries text messages. Each part of a long message costs; the limit counts messages."""

    type: Literal["system:twilio"]
    """`system:twilio`."""
    account: str | Secret
    """The account: the SID that begins with `AC`."""
    token: Secret | str
    """The token of the account. Write a `$SECRET()`."""
    proxy: str | Secret | None = None
    """The proxy on the way there: `socks5://user:password@proxy.example.com:1080`, `http://proxy.example.com:3128`. If
    it has a password, write it as a `$SECRET()`."""
    url: str = HOME
    """Where Twilio is asked; other regions have addresses of their own, such as `https://api.dublin.ie1.twilio.com`."""
    connections: int = Field(default=4, ge=1, le=50)
    """How many messages are handed over at a time."""
    connect_timeout: Seconds = 30
    """Seconds to reach the server."""
    read_timeout: Seconds = 60
    """Seconds to wait for its answer; a message that gets none is in doubt."""
    verify_ssl: bool = True
    """Whether the server's certificate must be trusted and name the server."""
    custom_ca_pem_chain: str | None = None
    """Certificates of authorities to trust, in PEM. Default: those of the machine."""
    allow_private: bool = False
    """Whether `url` may lead to an address that is not of the internet: this machine, private networks."""
    allow_plaintext_auth: bool = False
    """Whether the token may cross a network in clear. Never needed for a server on this machine."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Account, address and proxy can be what they are for, and the token does not cross a network in clear."""
        account = given.text("account")
        if account is not None and not _account.fullmatch(account):
            help_ = advice('copy the account SID from the console of Twilio: "AC…"')
            yield given.problem("E203", "`account` is no SID of Twilio", "account", notes=(help_,))
        yield from _url(given)
        yield from _proxy(given)

    def build(self, context: Context) -> Twilio:
        """The system at work."""
        import random  # noqa: PLC0415 - chance is for those who send
        import time  # noqa: PLC0415 - as above

        from systems.http.client import Http  # noqa: PLC0415 - sockets are for those who connect
        from systems.http.exchange import Settings, revealed  # noqa: PLC0415 - as above
        from systems.twilio.system import Twilio  # noqa: PLC0415 - as above

        proxies = {} if self.proxy is None else {"http": self.proxy, "https": self.proxy}
        settings = Settings(
            f"{self.url.rstrip('/')}/2010-04-01/Accounts/{revealed(self.account)}/Messages.json",
            basic=(self.account, self.token),
            verify=self.verify_ssl,
            authorities=self.custom_ca_pem_chain,
            allow_private=self.allow_private,
            connect_within=self.connect_timeout,
            answer_within=self.read_timeout,
            proxies=proxies,
        )
        return Twilio(self.id, Http(self.id, settings), self.connections, time.monotonic, random.random)


def _url(given: Given) -> Iterable[Problem]:
    text = given.text("url")
    if text is None:
        return
    words = None
    host: str | None = None
    try:
        parts = urlsplit(text)
        host = parts.hostname
        if parts.scheme not in {"http", "https"}:
            words = "begins neither with https:// nor with http://"
        elif parts.port == 0 or not host:
            words = "names no server"
        elif parts.username is not None or parts.password is not None:
            words = "must not hold a login: use `account` and `token`"
        elif parts.query or parts.fragment or not text.isprintable() or " " in text:
            words = "is more than the address of a server"
    except ValueError:
        words = "has a port or an address that is none"
    if words is not None:
        yield given.problem("E203", f"`url` {words}", "url", notes=(advice(f'such as "{HOME}"'),))
    elif text.startswith("http:") and host not in _on_this_machine and given.get("allow_plaintext_auth") is not True:
        notes = (advice('write https://, or, if the network may be trusted with it, `"allow_plaintext_auth": true`'),)
        yield given.problem("E212", "the token would cross the network in clear", "url", notes=notes)


def _proxy(given: Given) -> Iterable[Problem]:
    text = given.text("proxy")
    if text is None:
        return
    from systems.http.proxies import proxy_of  # noqa: PLC0415 - only those who have one

    try:
        proxy_of(text)
    except ValueError as error:
        help_ = advice('such as "socks5://127.0.0.1:1080" or "http://proxy.example.com:3128"')
        yield given.problem("E203", f"the proxy {error}", "proxy", notes=(help_,))
