"""Message brokers as declared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import Field

from pipeline.component import Advice, Context, SystemConfig
from pipeline.config.given import advice
from pipeline.secret import Secret
from systems.brokers.address import Address, Schemes, address_of
from systems.forms import path_faults
from systems.sql.config import missing_package

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.brokers.amqp import Amqp
    from systems.brokers.kafka import Kafka
    from systems.brokers.mqtt import Mqtt
    from systems.brokers.nats import Nats
    from systems.brokers.redis import Redis
    from systems.brokers.settings import Settings

Seconds = Annotated[float, Advice("not a time", ("write seconds: 30 or 0.5",)), Field(gt=0, le=86_400)]

AMQP: Final = Schemes({"amqp": False, "amqps": True}, 5672, 5671, path="a virtual host")
KAFKA: Final = Schemes({"kafka": False, "kafkas": True}, 9092, 9093, several=True)
MQTT: Final = Schemes({"mqtt": False, "mqtts": True}, 1883, 8883)
NATS: Final = Schemes({"nats": False, "tls": True}, 4222, 4222, several=True)
REDIS: Final = Schemes({"redis": False, "rediss": True}, 6379, 6379, path="the number of a database")


class BrokerConfig(SystemConfig):
    """A message broker."""

    schemes: ClassVar[Schemes]
    package: ClassVar[str]
    extra: ClassVar[str]

    url: Secret | str
    """Where the broker is. If a login is part of it, write a `$SECRET()`."""
    username: str | Secret | None = None
    """The user name of the login."""
    password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    allow_plaintext_auth: bool = False
    """Whether the login may cross a network in clear. Never needed for a broker on this machine."""
    verify_ssl: bool = True
    """Whether the broker's certificate must be trusted and name the broker."""
    ca_file: str | None = None
    """A PEM file with the authorities to trust. Default: those of the machine."""
    cert_file: str | None = None
    """A PEM file with the certificate that says who we are."""
    key_file: str | None = None
    """A PEM file with its key. Default: it stands in `cert_file`."""
    connect_timeout: Seconds = 10
    """Seconds to reach the broker."""
    timeout: Seconds = 30
    """Seconds to wait for an answer."""
    reconnect_timeout: float = Field(default=30, ge=0, le=86_400)
    """For how many seconds a connection that was lost is tried to be made again, before the run of the pipe ends."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The URL is one of such a broker; a login is whole, and does not cross a network in clear."""
        yield from missing_package(given, cls.package, cls.extra)
        yield from path_faults(given, ("ca_file", "cert_file", "key_file"))
        yield from cls._login_faults(given)
        text, secret = given.text("url"), given.get("url")
        whole = text if text is not None else secret.reveal() if isinstance(secret, Secret) else None
        if whole is None:
            return
        found = address_of(whole, cls.schemes)
        if isinstance(found, str):
            help_ = advice(f'such as "{cls.schemes.example}"')
            yield given.problem("E203", f"`url` {found}", "url", notes=(help_,))
            return
        yield from cls._address_faults(given, found, in_text=text is not None)

    @classmethod
    def _login_faults(cls, given: Given) -> Iterable[Problem]:
        if given.has("key_file") and not given.has("cert_file"):
            help_ = advice('add `"cert_file": "…"`')
            yield given.problem("E206", "`key_file` without `cert_file`", "key_file", notes=(help_,))
        if given.has("username") and not given.has("password") and given.node.whole:
            help_ = advice('add `"password": "$SECRET(…)"`')
            yield given.problem("E206", "`username` without `password`", "username", notes=(help_,))

    @classmethod
    def _address_faults(cls, given: Given, found: Address, *, in_text: bool) -> Iterable[Problem]:
        if in_text and found.password is not None:
            help_ = advice('write `"username": "…", "password": "$SECRET(…)"`, or all of the URL as a `$SECRET()`')
            yield given.problem("E203", "`url` must not hold a login", "url", notes=(help_,))
        login = found.password is not None or given.has("password")
        if login and not found.tls and not found.local and given.get("allow_plaintext_auth") is not True:
            secure = next(one for one, tls in cls.schemes.tls.items() if tls)
            help_ = advice(
                f'write {secure}://, or, if the network may be trusted with it, `"allow_plaintext_auth": true`'
            )
            yield given.problem("E212", "the login would cross the network in clear", "url", notes=(help_,))

    def settings(self, root: str) -> Settings:
        """The plain values."""
        from systems.brokers.settings import Settings  # noqa: PLC0415 - TLS is for those who connect

        address = address_of(_revealed(self.url) or "", self.schemes)
        if isinstance(address, str):  # `faults` has looked
            raise ValueError(address)  # noqa: TRY004 - it is no fault of a type

        def file(path: str | None) -> str | None:
            return None if path is None else str(Path(root, path))

        return Settings(
            self.id,
            address,
            _revealed(self.username) or address.username,
            _revealed(self.password) or address.password,
            verify=self.verify_ssl,
            ca_file=file(self.ca_file),
            cert_file=file(self.cert_file),
            key_file=file(self.key_file),
            connect_timeout=self.connect_timeout,
            timeout=self.timeout,
            reconnect_timeout=self.reconnect_timeout,
        )


class BusBrokerConfig(BrokerConfig):
    """A broker that can carry a bus."""


def _revealed(value: Secret | str | None) -> str | None:
    return value.reveal() if isinstance(value, Secret) else value


class AmqpConfig(BusBrokerConfig):
    """A broker that speaks AMQP 0-9-1, such as RabbitMQ."""

    schemes: ClassVar[Schemes] = AMQP
    package: ClassVar[str] = "aio_pika"
    extra: ClassVar[str] = "amqp"

    type: Literal["system:amqp"]
    """`system:amqp`."""
    url: Secret | str
    """Where the broker is: `amqps://rabbit.example.com/shop` with TLS, `amqp://` without; behind it the virtual host.
    If a login is part of it, write a `$SECRET()`."""

    def build(self, context: Context) -> Amqp:
        """The system at work."""
        from systems.brokers.amqp import Amqp  # noqa: PLC0415 - the client is for those who connect

        return Amqp(self.settings(context.root))


class KafkaConfig(BrokerConfig):
    """A Kafka cluster."""

    schemes: ClassVar[Schemes] = KAFKA
    package: ClassVar[str] = "aiokafka"
    extra: ClassVar[str] = "kafka"

    type: Literal["system:kafka"]
    """`system:kafka`."""
    url: Secret | str
    """Some servers of the cluster: `kafkas://a.example.com:9093,b.example.com:9093` with TLS, `kafka://` without. If a
    login is part of it, write a `$SECRET()`."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the login is proven."""

    def build(self, context: Context) -> Kafka:
        """The system at work."""
        from systems.brokers.kafka import Kafka  # noqa: PLC0415 - as above

        return Kafka(self.settings(context.root), self.sasl_mechanism)


class MqttConfig(BrokerConfig):
    """A broker that speaks MQTT 5."""

    schemes: ClassVar[Schemes] = MQTT
    package: ClassVar[str] = "paho"
    extra: ClassVar[str] = "mqtt"

    type: Literal["system:mqtt"]
    """`system:mqtt`."""
    url: Secret | str
    """Where the broker is: `mqtts://mqtt.example.com` with TLS, `mqtt://` without. If a login is part of it, write a
    `$SECRET()`."""

    def build(self, context: Context) -> Mqtt:
        """The system at work."""
        from systems.brokers.mqtt import Mqtt  # noqa: PLC0415 - as above

        return Mqtt(self.settings(context.root))


class NatsConfig(BusBrokerConfig):
    """A NATS server or cluster with JetStream."""

    schemes: ClassVar[Schemes] = NATS
    package: ClassVar[str] = "nats"
    extra: ClassVar[str] = "nats"

    type: Literal["system:nats"]
    """`system:nats`."""
    url: Secret | str
    """The server, or several of a cluster: `tls://a.example.com,b.example.com` with TLS, `nats://` without. If a login
    is part of it, write a `$SECRET()`."""
    password: Secret | str | None = None
    """The password of the login; without `username` it is a token. Write a `$SECRET()`."""

    def build(self, context: Context) -> Nats:
        """The system at work."""
        from systems.brokers.nats import Nats  # noqa: PLC0415 - as above

        return Nats(self.settings(context.root))


class RedisConfig(BusBrokerConfig):
    """A Redis (or Valkey) server: its streams."""

    schemes: ClassVar[Schemes] = REDIS
    package: ClassVar[str] = "redis"
    extra: ClassVar[str] = "redis"

    type: Literal["system:redis"]
    """`system:redis`."""
    url: Secret | str
    """Where the server is: `rediss://redis.example.com:6379/0` with TLS, `redis://` without; behind it the number of
    the database. If a login is part of it, write a `$SECRET()`."""

    @classmethod
    def _address_faults(cls, given: Given, found: Address, *, in_text: bool) -> Iterable[Problem]:
        yield from super()._address_faults(given, found, in_text=in_text)
        if found.path and not (found.path.isascii() and found.path.isdigit()):
            help_ = advice('such as "redis://localhost:6379/0"')
            yield given.problem("E203", "`url` has no number of a database behind the server", "url", notes=(help_,))

    def build(self, context: Context) -> Redis:
        """The system at work."""
        from systems.brokers.redis import Redis  # noqa: PLC0415 - as above

        return Redis(self.settings(context.root))
