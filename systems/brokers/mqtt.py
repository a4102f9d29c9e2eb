"""MQTT 5: a session that hands out what was published to its topics, and what publishes to one."""

from __future__ import annotations

import queue
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Condition
from typing import Any, Final, NamedTuple

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from systems.brokers.messages import BrokerError, Message, Outgoing
from systems.brokers.settings import Broker, Settings

# How long after the first message others are collected that are on their way.
_TOGETHER: Final = 0.02
# No topic of anybody: the answer to leaving it says that the broker has read what came before.
_NOBODYS: Final = "mailweir/none"


class Mqtt(Broker):
    """A broker with sessions that last."""

    def queue(self, session: Session) -> MqttQueue:
        """What a session is handed out."""
        return MqttQueue(self.settings, session)

    def publisher(self, topic: str, *, retain: bool) -> MqttPublisher:
        """What publishes."""
        return MqttPublisher(self.settings, topic, retain=retain)


class Session(NamedTuple):
    """A session: who it is for, what it is to hear of, and for how many seconds the broker keeps it for who is away."""

    client: str
    topics: tuple[str, ...]
    expires: int
    prefetch: int


class _Socket(ssl.SSLSocket):
    """The library forgets a socket whose handshake fails; this one closes itself."""

    def do_handshake(self, block: bool = False) -> None:
        """Begin the talk, or end it."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


class _Connection:
    """A connection, whose packets are read in a thread."""

    def __init__(self, settings: Settings, client: str, *, prefetch: int = 0, expires: int = 0) -> None:
        """Connect; `BrokerError`. With `expires` it goes on with the session of before."""
        self._timeout = settings.timeout
        self._changed = Condition()
        self._answers: set[int] = set()
        self._closed = ""
        self._connected = False
        self.lasted = False
        self.got: queue.SimpleQueue[MQTTMessage | None] = queue.SimpleQueue()
        made = Client(
            CallbackAPIVersion.VERSION2,
            client,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self.client = made
        made.connect_timeout = settings.connect_timeout
        made.on_connect = self._on_connect
        made.on_disconnect = self._on_disconnect
        made.on_message = lambda _client, _data, message: self.got.put(message)
        made.on_subscribe = self._on_answer
        made.on_unsubscribe = self._on_answer
        if settings.username is not None:
            made.username_pw_set(settings.username, settings.password)
        context: ssl.SSLContext | None = settings.tls()
        if context is not None:
            context.sslsocket_class = _Socket
            made.tls_set_context(context)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        if prefetch:
            properties.ReceiveMaximum = prefetch
        if expires:
            properties.SessionExpiryInterval = expires
        host, port = settings.address.servers[0]
        try:
            made.connect(host, port, clean_start=not expires, properties=properties)
        except OSError as error:
            raise BrokerError(str(error.strerror or error), lost=True) from None
        made.loop_start()
        try:
            self.wait(lambda: self._connected)
        except BaseException:
            self.close()
            raise

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401
        with self._changed:
            if reason.is_failure:
                self._closed = f"it says: {reason}"
            else:
                self._connected, self.lasted = True, bool(flags.session_present)
            self._changed.notify_all()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401
        with self._changed:
            self._closed = self._closed or f"the connection was closed: {reason}"
            self._changed.notify_all()
        self.got.put(None)

    def _on_answer(self, _client: Any, _data: Any, number: int, codes: Any, _properties: Any) -> None:  # noqa: ANN401
        with self._changed:
            refused = [code for code in codes if code.is_failure]
            if refused:
                self._closed = f"it says: {refused[0]}"
            self._answers.add(number)
            self._changed.notify_all()

    def answered(self, sent: tuple[MQTTErrorCode, int | None]) -> None:
        """Wait for the answer to a packet."""
        code, number = sent
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or number is None:
            raise self.lost()
        self.wait(lambda: number in self._answers)

    def wait(self, holds: Any) -> None:  # noqa: ANN401 - a question
        """Wait until something holds; `BrokerError` if the connection ends first, or it takes too long."""
        with self._changed:
            if not self._changed.wait_for(lambda: holds() or self._closed, self._timeout):
                raise BrokerError("it does not answer in time", lost=True)
            if not holds():
                raise self.lost()

    def lost(self) -> BrokerError:
        """Why there is no connection."""
        return BrokerError(self._closed or "the connection was closed", lost=not self._closed.startswith("it says"))

    def close(self) -> None:
        """Leave; a session that lasts stays."""
        with suppress(ValueError, OSError):
            self.client.disconnect()
        self.client.loop_stop()


class MqttQueue:
    """What a session is handed out, until it is acknowledged."""

    def __init__(self, settings: Settings, session: Session) -> None:
        """Connect and subscribe, each time: the topics may be others than before."""
        self._connection = _Connection(settings, session.client, prefetch=session.prefetch, expires=session.expires)
        try:
            self._connection.answered(self._connection.client.subscribe([(topic, 1) for topic in session.topics]))
        except BaseException:
            self.close()
            raise

    def take(self, most: int, seconds: float) -> Sequence[Message]:
        """What was handed out."""
        found: list[MQTTMessage] = []
        got, wait = self._connection.got, seconds
        while len(found) < most:
            try:
                one = got.get(timeout=wait)
            except queue.Empty:
                break
            if one is None:
                raise self._connection.lost()
            found.append(one)
            wait = _TOGETHER
        return [_message(one) for one in found]

    def settle(self, messages: Sequence[Message], refused: Sequence[Message] = ()) -> None:
        """They are acknowledged, in the order in which they came."""
        client = self._connection.client
        handles: list[Any] = [message.handle for message in (*messages, *refused)]
        for one in sorted(handles, key=lambda one: float(one.timestamp)):
            client.ack(one.mid, one.qos)
        self._connection.answered(client.unsubscribe(_NOBODYS))

    def close(self) -> None:
        """Leave."""
        self._connection.close()


class MqttPublisher:
    """Publishes with QoS 1, and waits for the word of the broker."""

    def __init__(self, settings: Settings, topic: str, *, retain: bool) -> None:
        """Connect."""
        self._topic = topic
        self._retain = retain
        self._timeout = settings.timeout
        self._refused: dict[int, str] = {}
        self._connection = _Connection(settings, "")
        self._connection.client.on_publish = self._on_publish

    def _on_publish(self, _client: Any, _data: Any, number: int, reason: Any, _properties: Any) -> None:  # noqa: ANN401
        if reason.is_failure:
            self._refused[number] = f"the broker says: {reason}"

    def publish(self, messages: Sequence[Outgoing]) -> Sequence[str]:
        """All of them at once, in their order; each has its own answer."""
        self._refused.clear()
        client = self._connection.client
        sent = [client.publish(self._topic, message.body, qos=1, retain=self._retain) for message in messages]
        end = time.monotonic() + self._timeout
        for one in sent:
            self._wait(one, end)
        return [self._refused.get(one.mid, "") for one in sent]

    def _wait(self, one: MQTTMessageInfo, end: float) -> None:
        while True:
            try:
                one.wait_for_publish(0.5)
            except (ValueError, RuntimeError):
                raise self._connection.lost() from None
            if one.is_published():
                return
            if not self._connection.client.is_connected():
                raise self._connection.lost()
            if time.monotonic() > end:
                raise BrokerError("it does not answer in time", lost=True)

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def _message(one: MQTTMessage) -> Message:
    facts: dict[str, object] = {"topic": one.topic, "retained": one.retain}
    properties = one.properties
    if properties is not None:
        facts["properties"] = dict(getattr(properties, "UserProperty", None) or ())
    return Message(bytes(one.payload), one.topic, facts=facts, counted=False, again=one.dup, handle=one)
