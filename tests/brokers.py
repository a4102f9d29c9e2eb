"""Real message brokers for tests, each in a folder of its own on loopback; they can be stopped and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from pwd import getpwuid
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from tests.servers import MOST_STARTS, PATIENCE, comes, end, free_ports, program

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import redis
    from aio_pika.abc import AbstractChannel
    from nats.aio.client import Client

B = TypeVar("B", bound="Server")
T = TypeVar("T")


class Server(ABC):
    """A server that is running."""

    program: str
    ports = 1
    sudden = signal.SIGKILL
    """The hardest end after which it still has what it said that it has."""

    def __init__(self, folder: Path, path: str) -> None:
        """Nothing runs yet."""
        self.folder = folder
        self.path = path
        self.port = 0
        self._running = ExitStack()

    @abstractmethod
    def commands(self) -> Sequence[Sequence[str]]:
        """What is started; the last is the server."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it is ready."""

    @abstractmethod
    def system(self, **properties: object) -> dict[str, object]:
        """It as a system of a project, with the `_id` `broker`."""

    @abstractmethod
    def publish(self, bodies: Iterable[bytes]) -> None:
        """Put messages where the sources of tests read."""

    @abstractmethod
    def published(self) -> list[bytes]:
        """What the sinks of tests have written, in its order."""

    def left(self) -> int | None:
        """How many messages of queues are not settled, if it tells; who leaves may need a moment for it."""
        return None

    def environ(self) -> Mapping[str, str]:
        """What it is to know."""
        return {}

    def start(self) -> None:
        """Start it, where it was before if it was started before."""
        for attempt in range(MOST_STARTS):
            first = self.port or free_ports(self.ports)
            self.port = first
            if self._starts(attempt):
                return
            self._running.close()
            # After a stop the same port is wanted; it is free as soon as the system has noticed.
            time.sleep(0.2)
        raise RuntimeError((self.folder / "log").read_text(errors="replace"))

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Stop it; what it has on the disk stays."""
        self._sign = sign
        self._running.close()

    _sign = signal.SIGTERM

    def _starts(self, attempt: int) -> bool:
        environ = {"PATH": f"{Path(self.path).parent}:/usr/bin:/bin", "HOME": str(self.folder), **self.environ()}
        process = None
        for command in self.commands():
            with (self.folder / "log").open("ab") as log:
                process = subprocess.Popen(command, env=environ, cwd=self.folder, stdout=log, stderr=log)
            self._running.callback(self._end, process)
        assert process is not None
        return comes(process, self._lets_in)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        end(process, self._sign)

    def _lets_in(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            return self.answers()
        return False


@contextmanager
def running(kind: type[B]) -> Iterator[B]:
    """A server of a kind; where there is none, the test is skipped."""
    path = program(kind.program)
    if path is None:
        pytest.skip(f"{kind.program} is not there: .ci/mail-servers unpacks it")
    with TemporaryDirectory(prefix="broker-") as text:
        server = kind(Path(text), path)
        server.start()
        try:
            yield server
        finally:
            server.stop()


class RedisServer(Server):
    """Redis, with every entry on the disk before it answers."""

    program = "redis-server"

    def commands(self) -> Sequence[Sequence[str]]:
        """One."""
        return [
            [
                *(self.path, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""),
                *("--appendonly", "yes", "--appendfsync", "always", "--requirepass", "s3cr3t-pass"),
            ]
        ]

    def answers(self) -> bool:
        """It has loaded what it had."""
        import redis  # noqa: PLC0415 - for those who ask

        with suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> redis.Redis:
        """A client of our own."""
        import redis  # noqa: PLC0415 - for those who ask

        return redis.Redis(port=self.port, password="s3cr3t-pass")

    def publish(self, bodies: Iterable[bytes]) -> None:
        """As entries."""
        with self.client() as client:
            sent = client.pipeline(transaction=False)
            for body in bodies:
                sent.xadd("orders", {"entity": body})
            sent.execute()

    def published(self) -> list[bytes]:
        """The entries."""
        with self.client() as client:
            entries: Any = client.xrange("out")
            return [fields[b"entity"] for _, fields in entries]

    def left(self) -> int:
        """What the group has handed out, and what it has not."""
        with self.client() as client:
            groups: Any = client.xinfo_groups("orders")
            return sum(group["pending"] + (group["lag"] or 0) for group in groups)

    def system(self, **properties: object) -> dict[str, object]:
        """With its password."""
        url = f"redis://127.0.0.1:{self.port}/0"
        return {"_id": "broker", "type": "system:redis", "url": url, "password": "s3cr3t-pass", **properties}


class NatsServer(Server):
    """NATS with JetStream, with every message on the disk before it answers."""

    program = "nats-server"
    # Killed, it forgets acknowledgements that it had not put on the disk yet.
    sudden = signal.SIGTERM
    consumer = "g"

    def commands(self) -> Sequence[Sequence[str]]:
        """One."""
        self.folder.joinpath("conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream: {{store_dir: "{self.folder}/store"}}\n'
            'authorization: {user: "shop", password: "s3cr3t-pass"}\n'
        )
        return [[self.path, "-c", str(self.folder / "conf")]]

    def answers(self) -> bool:
        """JetStream is ready, and the streams of tests are there."""
        from nats.errors import Error  # noqa: PLC0415 - for those who ask

        async def made(client: Client) -> bool:
            stream = client.jetstream(timeout=10)
            await stream.add_stream(name="ORDERS", subjects=["orders.>"])
            await stream.add_stream(name="OUT", subjects=["out"])
            return True

        with suppress(Error, OSError):
            return self._do(made)
        return False

    def _do(self, work: Callable[[Client], Awaitable[T]]) -> T:
        import nats  # noqa: PLC0415 - for those who ask

        async def done() -> T:
            client = await nats.connect(
                f"nats://127.0.0.1:{self.port}", user="shop", password="s3cr3t-pass", connect_timeout=10
            )
            try:
                return await work(client)
            finally:
                await client.close()

        return asyncio.run(done())

    def publish(self, bodies: Iterable[bytes]) -> None:
        """To a subject of the stream."""

        async def published(client: Client) -> None:
            stream = client.jetstream(timeout=PATIENCE)
            for body in bodies:
                await stream.publish("orders.new", body)

        self._do(published)

    def published(self) -> list[bytes]:
        """All of the other stream."""

        async def all_(client: Client) -> list[bytes]:
            stream = client.jetstream(timeout=PATIENCE)
            many = (await stream.stream_info("OUT")).state.messages
            return [(await stream.get_msg("OUT", number + 1)).data or b"" for number in range(many)]

        return self._do(all_)

    def left(self) -> int:
        """What the consumer has handed out, and what it has not."""

        async def counted(client: Client) -> int:
            info = await client.jetstream(timeout=PATIENCE).consumer_info("ORDERS", self.consumer)
            return (info.num_ack_pending or 0) + (info.num_pending or 0)

        return self._do(counted)

    def system(self, **properties: object) -> dict[str, object]:
        """With its login."""
        login = {"username": "shop", "password": "s3cr3t-pass"}
        return {"_id": "broker", "type": "system:nats", "url": f"nats://127.0.0.1:{self.port}", **login, **properties}


class RabbitServer(Server):
    """RabbitMQ with a queue that outlasts it; beside it the program by which Erlang finds its kind."""

    program = "rabbitmq-server"
    ports = 3
    # Killed, it forgets acknowledgements that it had not put on the disk yet.
    sudden = signal.SIGTERM

    def commands(self) -> Sequence[Sequence[str]]:
        """Two."""
        return [[str(Path(self.path).with_name("epmd"))], [self.path]]

    def environ(self) -> Mapping[str, str]:
        """All that it would look for elsewhere."""
        return {
            "RABBITMQ_NODENAME": f"t{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.port + 1),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            # Without it a script stands in front of the server, and outlives nothing of it.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -noinput +S 1:1",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.port + 2),
            "LC_ALL": "C.UTF-8",
        }

    def answers(self) -> bool:
        """It lets us in, and the queues of tests are there."""
        from aio_pika.exceptions import AMQPError  # noqa: PLC0415 - for those who ask

        async def made(channel: AbstractChannel) -> bool:
            await channel.declare_queue("orders", durable=True)
            await channel.declare_queue("out", durable=True)
            return True

        with suppress(AMQPError, OSError, TimeoutError):
            return self._do(made)
        return False

    def _do(self, work: Callable[[AbstractChannel], Awaitable[T]]) -> T:
        import aio_pika  # noqa: PLC0415 - for those who ask

        async def done() -> T:
            connection = await aio_pika.connect(f"amqp://127.0.0.1:{self.port}/", timeout=30)
            async with connection, connection.channel() as channel:
                return await work(channel)

        return asyncio.run(done())

    def publish(self, bodies: Iterable[bytes]) -> None:
        """To the queue, to outlast the server."""
        from aio_pika import DeliveryMode, Message  # noqa: PLC0415 - for those who ask

        async def published(channel: AbstractChannel) -> None:
            messages = [Message(body, delivery_mode=DeliveryMode.PERSISTENT) for body in bodies]
            await asyncio.gather(*(channel.default_exchange.publish(one, "orders") for one in messages))

        self._do(published)

    def published(self) -> list[bytes]:
        """All of the other queue; it keeps them."""

        async def all_(channel: AbstractChannel) -> list[bytes]:
            queue = await channel.declare_queue("out", durable=True)
            found = []
            while (one := await queue.get(fail=False)) is not None:
                found.append(one.body)
            return found

        return self._do(all_)

    def left(self) -> int:
        """What is ready to be handed out; who reads it is gone by then."""

        async def counted(channel: AbstractChannel) -> int:
            return (await channel.declare_queue("orders", durable=True)).declaration_result.message_count or 0

        return self._do(counted)

    def system(self, **properties: object) -> dict[str, object]:
        """With the login that it has from the beginning."""
        login = {"username": "guest", "password": "guest"}
        return {"_id": "broker", "type": "system:amqp", "url": f"amqp://127.0.0.1:{self.port}/", **login, **properties}


class MosquittoServer(Server):
    """Mosquitto, which puts its sessions on the disk when it ends in order."""

    program = "mosquitto"
    sudden = signal.SIGTERM
    session = "mailweir-orders"

    def __init__(self, folder: Path, path: str) -> None:
        """Nothing was handed out."""
        super().__init__(folder, path)
        self._bodies: list[bytes] = []

    def commands(self) -> Sequence[Sequence[str]]:
        """One."""
        import hashlib  # noqa: PLC0415 - for those who ask

        salt = b"twelve-bytes"
        key = hashlib.pbkdf2_hmac("sha512", b"s3cr3t-pass", salt, 101)
        word = f"shop:$7$101${b64encode(salt).decode()}${b64encode(key).decode()}\n"
        self.folder.joinpath("passwords").write_text(word)
        self.folder.joinpath("conf").write_text(
            f"listener {self.port} 127.0.0.1\npassword_file {self.folder}/passwords\npersistence true\n"
            f"persistence_location {self.folder}/\n"
            "max_queued_messages 100000\nmax_inflight_messages 0\n"
            + (f"user {getpwuid(os.geteuid()).pw_name}\n" if os.geteuid() == 0 else "")
        )
        return [[self.path, "-c", str(self.folder / "conf")]]

    def answers(self) -> bool:
        """It lets us in, and the sessions of tests are there."""
        with suppress(OSError, TimeoutError):
            for name, topic in ((self.session, "orders/#"), ("reader", "out")):
                if not self.folder.joinpath(name).exists():
                    with self._client(name) as client:
                        client.subscribe(topic, 1)
                        self.folder.joinpath(name).touch()
                        time.sleep(0.2)
            with self._client("looker"):
                return True
        return False

    @contextmanager
    def _client(self, name: str, wait: Callable[[Any], None] | None = None) -> Iterator[Any]:
        from paho.mqtt.client import Client  # noqa: PLC0415 - for those who ask
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: PLC0415 - as above
        from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415 - as above
        from paho.mqtt.properties import Properties  # noqa: PLC0415 - as above

        client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        client.username_pw_set("shop", "s3cr3t-pass")
        if wait is not None:
            client.on_message = lambda _client, _data, message: wait(message)
        there = Event()

        def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if not reason.is_failure:
                there.set()

        client.on_connect = connected
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self.port, clean_start=False, properties=properties)
        client.loop_start()
        try:
            if not there.wait(30):
                raise TimeoutError
            yield client
        finally:
            client.disconnect()
            client.loop_stop()

    def publish(self, bodies: Iterable[bytes]) -> None:
        """To a topic."""
        with self._client("writer") as client:
            for sent in [client.publish("orders/new", body, qos=1) for body in bodies]:
                sent.wait_for_publish(PATIENCE)

    def published(self) -> list[bytes]:
        """What the session of a reader is handed out until nothing comes for a while; each is handed out once."""
        found: SimpleQueue[bytes] = SimpleQueue()
        with self._client("reader", lambda message: found.put(message.payload)), suppress(Empty):
            while True:
                self._bodies.append(found.get(timeout=1))
        return list(self._bodies)

    def system(self, **properties: object) -> dict[str, object]:
        """With its login."""
        login = {"username": "shop", "password": "s3cr3t-pass"}
        return {"_id": "broker", "type": "system:mqtt", "url": f"mqtt://127.0.0.1:{self.port}", **login, **properties}
