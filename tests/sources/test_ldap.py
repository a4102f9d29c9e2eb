"""A real directory as a source: what comes from its entries, and what is told when it cannot be read."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.entity import Datetime, Entity
from pipeline.errors import SourceError
from sources.ldap import LdapSourceConfig
from systems.ldap.config import LdapConfig
from systems.ldap.types import time_of
from tests.directory import BASE, PASSWORD, Directory, person, running, server_program

PEOPLE = f"ou=people,{BASE}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    """A server with 100 people; where there is none, the tests are skipped."""
    if server_program() is None:
        pytest.skip("slapd is not there: .ci/mail-servers unpacks it")
    with running(tmp_path_factory.mktemp("directory")) as found:
        found.add(*(person(f"p{number:03}", mail=f"p{number}@example.com") for number in range(100)))
        yield found


def source(system: dict[str, Any], **properties: Any) -> Any:
    """A source as it is declared."""

    class Context:
        pipe, root = "p", "."

        def system(self, id: str, port: type[Any]) -> Any:
            return LdapConfig.model_validate(system).build(context)

    context: Any = Context()
    whole = {"type": "ldap", "system": "directory", "search_base": PEOPLE, **properties}
    return LdapSourceConfig.model_validate(whole).build(context)


def read(system: dict[str, Any], since: str | None = None, **properties: Any) -> tuple[list[Entity], str | None]:
    """All entities, and the last position."""
    found: list[Entity] = []
    for entities, reached in source(system, **properties).read(since):
        found += entities
        since = reached if reached is not None else since
    return found, since


def ids(found: Sequence[Entity]) -> list[Any]:
    """Of entities."""
    return [one["_id"] for one in found]


def test_all_pages_are_read(server: Directory) -> None:
    """As many entries as there are, though the server gives no more than 20 at a time."""
    found, since = read(server.system(), search_filter="(sn=p*)", page_size=7)
    assert ids(found) == [f"cn=p{number:03},{PEOPLE}" for number in range(100)]
    assert found[3] == {
        "_id": f"cn=p003,{PEOPLE}",
        "dn": f"cn=p003,{PEOPLE}",
        "objectClass": "inetOrgPerson",
        "cn": "p003",
        "sn": "p003",
        "mail": "p3@example.com",
    }
    assert since is None


def test_pages_are_handed_on_as_they_come(server: Directory) -> None:
    """Not all is held."""
    batches = [
        len(entities) for entities, _ in source(server.system(), search_filter="(sn=p*)", page_size=20).read(None)
    ]
    assert batches == [20] * 5


def test_values_have_the_types_of_the_schema(server: Directory) -> None:
    """Bytes, times and identifiers too, of a server that tells its schema."""
    photo = b"\xff\xd8plain"
    server.add(person("typed", jpegPhoto=photo, mail=["a@example.com", "b@example.com"], userPassword="hidden"))
    (found,), _ = read(server.system(), search_filter="(cn=typed)", attributes=["*", "+"], id_attribute="entryUUID")
    assert found["jpegPhoto"] == photo
    assert found["mail"] == ["a@example.com", "b@example.com"]
    assert isinstance(found["modifyTimestamp"], Datetime)
    assert found["hasSubordinates"] is False
    assert found["_id"] == str(found["entryUUID"])
    assert "userPassword" not in found
    (found,), _ = read(server.system(), search_filter="(cn=typed)", attributes=["cn", "userPassword"])
    assert found["userPassword"] == b"hidden"


@pytest.mark.parametrize(("scope", "expected"), [("base", 1), ("level", 100), ("subtree", 101)])
def test_a_search_goes_as_far_as_it_is_told(server: Directory, scope: str, expected: int) -> None:
    """The base, what is below it, or both."""
    found, _ = read(server.system(), search_filter="(|(ou=people)(sn=p*))", scope=scope, page_size=20)
    assert len(found) == expected


def test_the_next_run_reads_what_has_changed(server: Directory) -> None:
    """From before the reading began, so that nothing that changed behind it is lost."""
    more = {"search_filter": "(sn=p00*)", "updated_attribute": "modifyTimestamp"}
    found, since = read(server.system(), **more)
    assert len(found) == 10
    assert since is not None
    position, latest = time_of(since), time_of(newest(server))
    assert position is not None
    assert latest is not None
    assert position < latest
    assert source(server.system(), **more).knows(since)
    assert not source(server.system(), **more).knows("7")
    assert "modifyTimestamp" not in found[0]
    assert f"cn=p009,{PEOPLE}" in ids(read(server.system(), since, **more)[0])
    assert read(server.system(), "20990101000000.0Z", **more) == ([], "20990101000000.0Z")
    assert read(server.system(), initial_since_value="20990101000000Z", **more) == ([], None)
    assert read(server.system(), supports_since=False, **more)[1] is None


def newest(server: Directory) -> str:
    """The last change of those people."""
    found, _ = read(server.system(), search_filter="(sn=p00*)", attributes=["modifyTimestamp"])
    text = max(one["modifyTimestamp"] for one in found).moment
    return f"{text:%Y%m%d%H%M%S}Z"


def test_an_entry_without_an_id_is_told_or_left_out(server: Directory) -> None:
    """What stands before it is delivered."""
    server.add(person("q1", uid="1"), person("q2"), person("q3", uid="3"))
    reading = source(server.system(), search_filter="(sn=q*)", id_attribute="uid").read(None)
    assert ids(next(reading)[0]) == ["1"]
    with pytest.raises(SourceError, match="E218 .*not one value in `uid`.*cn=q2"):
        list(reading)
    skipping = source(server.system(), search_filter="(sn=q*)", id_attribute="uid", on_error="skip")
    assert [one["_id"] for entities, _ in skipping.read(None) for one in entities] == ["1", "3"]
    assert skipping.skipped == 1


@pytest.mark.parametrize("tls", ["ldaps", "starttls"])
def test_a_server_that_somebody_vouches_for_is_spoken_to(server: Directory, tls: str) -> None:
    """TLS from the beginning, or on an open connection; no other name, and nobody unknown."""
    port = server.tls_port if tls == "ldaps" else server.port
    system = server.system(tls=tls, port=port, ca_file=str(server.authority))
    found, _ = read(system, search_filter="(cn=p001)")
    assert len(found) == 1
    wrongs: Sequence[dict[str, Any]] = ({"host": "127.0.0.1"}, {"ca_file": None})
    for wrong in wrongs:
        with pytest.raises(SourceError, match="(?i)E611 .*certificate"):
            read({**system, **wrong}, search_filter="(cn=p001)")
    assert len(read({**system, "ca_file": None, "verify_ssl": False}, search_filter="(cn=p001)")[0]) == 1


def test_what_a_directory_refuses_is_told(server: Directory) -> None:
    """In its words, without the password; a part of an answer is not taken for all of it."""
    told: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "refuses the login: invalidCredentials": (server.system(password="wr0ng-pass"), {}),
        "refuses the search: noSuchObject": (server.system(), {"search_base": f"ou=nobody,{BASE}"}),
        "refuses the search: sizeLimitExceeded": (server.system(), {"page_size": 0}),
        "cannot be read: ": (server.system(ca_file="no.pem", tls="ldaps"), {}),
    }
    for words, (system, properties) in told.items():
        with pytest.raises(SourceError) as error:
            read(system, **properties)
        assert "E611" in str(error.value)
        assert words in str(error.value)
        assert PASSWORD not in str(error.value)
        assert "wr0ng" not in str(error.value)


def test_a_limit_delivers_what_came_before_it(server: Directory) -> None:
    """Then it is told."""
    system = server.system(username=f"cn=small,{BASE}")
    reading = source(system, search_filter="(sn=p*)", page_size=1).read(None)
    assert [ids(next(reading)[0]) for _ in range(2)] == [[f"cn=p00{number},{PEOPLE}"] for number in range(2)]
    with pytest.raises(SourceError, match="sizeLimitExceeded"):
        next(reading)


def test_a_server_that_is_not_there_is_told() -> None:
    """As one that says nothing is."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        system = {"_id": "d", "type": "system:ldap", "host": "127.0.0.1", "port": port, "tls": "off", "timeout": 1}
        with pytest.raises(SourceError, match="E611"):
            read(system)
    with pytest.raises(SourceError, match="E611 .*refused"):
        read(system)


@pytest.mark.parametrize(
    ("system", "properties", "expected"),
    [
        ({}, {}, []),
        ({"username": "cn=a", "password": "$SECRET(p)"}, {"search_filter": "(cn=a)"}, []),
        ({}, {"search_filter": "(cn=a"}, ["E203"]),
        ({}, {"search_filter": ""}, ["E203"]),
        ({}, {"updated_attribute": "modifyTimestamp", "initial_since_value": "2026-01-02"}, ["E203"]),
        ({"username": "cn=a"}, {}, ["E206"]),
        ({"password": "$SECRET(p)"}, {}, ["E206"]),
        ({"username": "cn=a", "password": "$SECRET(p)", "tls": "off"}, {}, ["E212"]),
        ({"username": "cn=a", "password": "$SECRET(p)", "tls": "off", "allow_plaintext_auth": True}, {}, []),
        ({"host": "ldap://x"}, {}, ["E203"]),
    ],
)
def test_what_cannot_work_is_told_by_check(
    tmp_path: Path, system: dict[str, Any], properties: dict[str, Any], expected: list[str]
) -> None:
    """Before anything is asked."""
    whole = {"_id": "d", "type": "system:ldap", "host": "ldap.example.com", **system}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "ldap", "system": "d", "search_base": "o=x", **properties}}
    (tmp_path / "p.conf.json").write_text(json.dumps([whole, pipe]))
    (tmp_path / ".secrets.env").write_text("p=secret\n")
    (tmp_path / ".secrets.env").chmod(0o600)
    found = check_paths([tmp_path], Options(environ={}, here=tmp_path)).problems
    assert [one.code for one in found if one.code.startswith("E")] == expected
