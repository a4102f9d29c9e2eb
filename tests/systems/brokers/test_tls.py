"""Brokers behind TLS: whom nobody vouches for is not spoken to."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwuid
from typing import Any, Final

import pytest
import trustme

from systems.brokers.address import Address
from systems.brokers.messages import BrokerError, Outgoing
from systems.brokers.mqtt import Mqtt
from systems.brokers.redis import Redis
from systems.brokers.settings import Settings
from tests.servers import PATIENCE, free_ports, listens, program, started

PASSWORD: Final = "s3cr3t-pass"


def redis(_folder: Path, port: int) -> Sequence[str]:
    """Redis that speaks nothing else."""
    return [
        *("redis-server", "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", ""),
        *("--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"),
        *("--tls-auth-clients", "no", "--requirepass", PASSWORD),
    ]


def mosquitto(folder: Path, port: int) -> Sequence[str]:
    """Mosquitto that lets everybody in."""
    folder.joinpath("conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n"
        + (f"user {getpwuid(os.geteuid()).pw_name}\n" if os.geteuid() == 0 else "")
    )
    return ["mosquitto", "-c", "conf"]


@contextmanager
def secured(folder: Path, command: Callable[[Path, int], Sequence[str]]) -> Iterator[Address]:
    """A broker with a certificate for `localhost`; who vouches for it stands in `ca.pem`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    name, *_ = command(folder, 0)
    path = program(name)
    if path is None:
        pytest.skip(f"{name} is not there: .ci/mail-servers unpacks it")

    def make() -> tuple[int, list[str]]:
        port = free_ports()
        return port, [path, *command(folder, port)[1:]]

    with started(folder, make, listens) as port:
        yield Address(tls=True, servers=(("localhost", port),))


@pytest.mark.parametrize(
    ("command", "opened"),
    [
        (redis, lambda settings: Redis(settings).publisher("orders", "entity", None)),
        (mosquitto, lambda settings: Mqtt(settings).publisher("orders", retain=False)),
    ],
)
def test_who_is_trusted(
    tmp_path: Path, command: Callable[[Path, int], Sequence[str]], opened: Callable[[Settings], Any]
) -> None:
    """The one that an authority of ours vouches for, and nobody else, unless that is wanted."""
    with secured(tmp_path, command) as address:
        password = None if command is mosquitto else PASSWORD

        def settings(**more: Any) -> Settings:
            return Settings("broker", address, None, password, connect_timeout=PATIENCE, timeout=PATIENCE, **more)

        for trusting in (settings(ca_file=str(tmp_path / "ca.pem")), settings(verify=False)):
            publisher = opened(trusting)
            assert publisher.publish([Outgoing("1", b"{}")]) == [""]
            publisher.close()
        with pytest.raises(BrokerError, match="certificate") as caught:
            opened(settings()).publish([Outgoing("1", b"{}")])
        assert PASSWORD not in caught.value.text
        del caught
        gc.collect()  # A connection that stayed open warns here, and a warning is an error.
        with pytest.raises(BrokerError, match="cannot be read"):
            opened(settings(ca_file=str(tmp_path / "missing.pem"))).publish([Outgoing("1", b"{}")])
