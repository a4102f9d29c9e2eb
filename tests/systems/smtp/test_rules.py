"""What the properties of a mail server say together, for the system and for each of several servers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.errors import Problem

LOGIN = {"smtp_username": "kari", "smtp_password": "$SECRET(a)"}


def checked(properties: dict[str, Any]) -> Project:
    """The project of one system; every secret counts as set."""
    text = json.dumps({"_id": "mail", "type": "system:smtp", **properties})
    return compile_project(
        [read(text.encode(), "a.conf.json")], installed(), Lookup(take_env=False, take_secrets=False)
    )


def told(properties: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and marked text of every problem."""
    project = checked(properties)
    text = project.documents["a.conf.json"].text
    return [(problem.code, text[problem.span.start : problem.span.end]) for problem in project.problems]


def only(properties: dict[str, Any]) -> Problem:
    """The one problem."""
    (problem,) = checked(properties).problems
    return problem


def helps(problem: Problem) -> list[str]:
    """What it says to do."""
    return [note.text for note in problem.notes if note.kind == "help"]


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({}, [("E204", "{")]),
        ({"smtp_port": 25}, [("E204", "{")]),
        ({"url": "ftp://a.example.com"}, [("E203", '"ftp://a.example.com"')]),
        (
            {"url": "smtp://kari:canary@a.example.com"},
            [("E203", '"smtp://kari:canary@a.example.com"'), ("W302", "kari:canary")],
        ),
        ({"url": "smtp://a.example.com", "smtp_port": 25}, [("E209", '"url"')]),
        ({"url": "smtp://a.example.com", "smtp_server": "a.example.com"}, [("E209", '"url"')]),
        ({"smtp_server": "localhost", "smtp_username": "kari"}, [("E207", '"smtp_username"')]),
        ({"smtp_server": "localhost", "smtp_password": "$SECRET(a)"}, [("E206", '"smtp_password"')]),
        ({"smtp_server": "localhost", **LOGIN}, []),
        ({"smtp_server": "a.example.com", **LOGIN}, [("E212", '"smtp_username"')]),
        ({"smtp_server": "a.example.com", "tls": "opportunistic", **LOGIN}, [("E212", '"smtp_username"')]),
        ({"smtp_server": "a.example.com", "tls": "starttls", **LOGIN}, []),
        ({"url": "smtps://a.example.com", **LOGIN}, []),
        ({"smtp_server": "a.example.com", "verify_host": False}, [("E214", "false")]),
        ({"smtp_server": "a.example.com", "smtp_port": 465}, [("W211", "465")]),
        ({"smtp_server": "a.example.com", "tls": "implicit"}, [("W211", '"implicit"')]),
        ({"smtp_server": "a.example.com:587"}, [("E203", ":587")]),
        ({"smtp_server": "a.example.com", "ca_file": ""}, [("E203", '""')]),
        (
            {"smtp_server": "a.example.com", "smtp_port": "x", "tls": "startls", **LOGIN},
            [("E202", '"x"'), ("E203", '"startls"')],
        ),
        ({"smtp_sever": "a.example.com"}, [("E201", '"smtp_sever"')]),
        ({"smtp_server": "a.example.com", "smtp_usr": "kari", "smtp_password": "$SECRET(a)"}, [("E201", '"smtp_usr"')]),
        ({"smtp_server": "$ENV(server)", "tls": "$ENV(tls)", **LOGIN}, []),
    ],
    ids=str,
)
def test_each_of_several_servers_has_the_rules_of_a_system(
    server: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """The fault is told at the place in that server, and the one beside it is not touched."""
    assert told({"servers": [{"smtp_server": "localhost"}, server]}) == expected


def test_a_server_takes_the_rest_from_the_system() -> None:
    """TLS, a login and its permissions stand once; what a server says itself comes first."""
    servers = {"servers": [{"smtp_server": "a.example.com"}, {"smtp_server": "b.example.com", "tls": "none"}]}
    assert told(servers) == []
    assert told({**servers, **LOGIN}) == [("E212", "{"), ("E212", "{")]
    assert told({**servers, **LOGIN, "use_tls": True}) == [("E212", "{")]
    assert told({**servers, **LOGIN, "use_tls": True, "allow_plaintext_auth": True}) == []
    own = {"servers": [{"smtp_server": "localhost", "smtp_username": "ola"}]}
    assert told({**own, **LOGIN}) == [("E207", '"smtp_username"')]
    assert told({**own, "oauth": {"token": "$SECRET(a)"}}) == []
    unsure = {"servers": [{"smtp_server": "a.example.com", "verify_peer": False}], "insecure": True}
    assert told(unsure) == []


def test_an_inherited_login_is_told_at_the_server_that_would_leak_it() -> None:
    """The place of the server is named, and what would protect it."""
    problem = only({"servers": [{"smtp_server": "a.example.com"}], **LOGIN})
    assert problem.message == "the login would cross the network in clear to `a.example.com`"
    assert problem.path == ("mail", "servers")


def test_what_the_system_says_of_ports_is_not_asked_of_it_where_it_has_servers() -> None:
    """TLS from the start is right when the servers have the port for it."""
    servers = [{"smtp_server": "a.example.com", "smtp_port": 465}, {"url": "smtps://b.example.com"}]
    assert told({"tls": "implicit", "servers": servers}) == []


def test_an_empty_list_of_servers_is_no_server() -> None:
    """It would mean this machine, which nobody wrote."""
    problem = only({"servers": []})
    assert (problem.code, problem.message) == ("E203", "`servers` is empty")


def test_a_value_that_is_not_known_hides_no_other_fault() -> None:
    """A secret that is not looked for in a build leaves the rest of its server to be checked."""
    servers = [{"smtp_server": "a.example.com", "smtp_port": 99999, "tls": "starttls", **LOGIN}]
    assert told({"servers": servers}) == [("E203", "99999")]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"smtp_port": 465}, [("W211", "465")]),
        ({"smtp_port": 465, "use_tls": True}, []),
        ({"smtp_port": 465, "tls": "implicit"}, []),
        ({"smtp_port": 465, "tls": "starttls"}, [("W211", '"starttls"')]),
        ({"smtp_port": 465, "use_tls": "$ENV(a)"}, []),
        ({"url": "smtp://a.example.com:465"}, [("W211", '"smtp://a.example.com:465"')]),
        ({"url": "smtp://a.example.com:465", "use_tls": False}, [("W211", "false")]),
        ({"url": "smtps://a.example.com"}, []),
        ({"url": "smtps://a.example.com:2465"}, []),
    ],
    ids=str,
)
def test_port_and_tls_have_to_fit(properties: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A server that waits for TLS while this side waits for a greeting is told before it is met."""
    assert told(properties) == expected


@pytest.mark.parametrize(
    ("oauth", "expected"),
    [
        ({"token": "$SECRET(a)"}, []),
        ({"command": ["print-token"]}, []),
        ({"url": "https://a.example.com/token", "refresh_token": "$SECRET(a)"}, []),
        ({"url": "http://localhost:8080/token", "refresh_token": "$SECRET(a)"}, []),
        ({"url": "https://[::1]:8080/token", "refresh_token": "$SECRET(a)"}, []),
        ({"url": "$ENV(a)", "refresh_token": "$SECRET(a)"}, []),
        ({}, [("E204", "{")]),
        ({"client_id": "a"}, [("E204", "{")]),
        ({"command": []}, [("E203", "[]")]),
        ({"token": "$SECRET(a)", "command": ["x"]}, [("E209", '"command"')]),
        ({"url": "https://a.example.com/token"}, [("E204", '"url"')]),
        (
            {"url": "http://a.example.com/token", "refresh_token": "$SECRET(a)"},
            [("E203", '"http://a.example.com/token"')],
        ),
        ({"url": "a.example.com", "refresh_token": "$SECRET(a)"}, [("E203", '"a.example.com"')]),
        ({"url": "https://a.example.com:x", "refresh_token": "$SECRET(a)"}, [("E203", '"https://a.example.com:x"')]),
        ({"url": "https://a b/", "refresh_token": "$SECRET(a)"}, [("E203", '"https://a b/"')]),
        ({"url": "", "refresh_token": "$SECRET(a)"}, [("E203", '""')]),
    ],
    ids=str,
)
def test_a_token_comes_in_one_way(oauth: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """As configured, from a command, or from an endpoint that only TLS leads to."""
    assert told({"smtp_username": "kari", "oauth": oauth}) == expected


@pytest.mark.parametrize(
    ("properties", "words", "help_"),
    [
        (
            {"smtp_server": "mail.example.com:587"},
            "`smtp_server` has a port in it",
            'write "smtp_server": "mail.example.com", "smtp_port": 587',
        ),
        (
            {"smtp_server": "smtps://mail.example.com"},
            "`smtp_server` is a URL, not the name of a server",
            'write "url": "smtps://mail.example.com" in its place',
        ),
        (
            {"smtp_server": "http://mail.example.com"},
            "`smtp_server` is a URL, not the name of a server",
            'write the name alone: "mail.example.com"',
        ),
        ({"smtp_server": ""}, "`smtp_server` is empty", "write it, or leave `smtp_server` out"),
        ({"smtp_server": "mail\n"}, "`smtp_server` has a line break or control character", "remove it"),
        ({"helo": ""}, "`helo` is empty", "write it, or leave `helo` out"),
        ({"helo": "my host"}, "`helo` has a space", 'write one name: "mail.example.com"'),
        ({"helo": "a\r\nMAIL"}, "`helo` has a line break or control character", "remove it"),
        ({"helo": "192.0.2.1"}, "`helo` is an address without brackets", 'write "[192.0.2.1]"'),
        ({"helo": "2001:db8::1"}, "`helo` is an address without brackets", 'write "[IPv6:2001:db8::1]"'),
        ({"helo": "[mail]"}, "`helo` is not an address in brackets", 'write "[192.0.2.1]"'),
        ({"helo": "[192.0.2.1"}, "`helo` is not an address in brackets", 'write "[192.0.2.1]"'),
        ({"helo": "blåbær.example"}, "`helo` is not ASCII, and EHLO is", "write the name as DNS has it, with `xn--`"),
        (
            {"helo": "my_host"},
            "`helo` is no name that EHLO can carry",
            "letters, digits, `-` and `.`: mail.example.com",
        ),
        ({"source_address": "[::1]"}, "`source_address` has brackets", 'write "::1"'),
        ({"source_address": "192.0.2.1:25"}, "`source_address` has a port in it", 'write the name alone: "192.0.2.1"'),
        ({"socket": ""}, "`socket` is empty", "write it, or leave `socket` out"),
        ({"ca_path": "~/certs"}, "`ca_path` begins with `~`, which only a shell replaces", "write the whole path"),
        (
            {"tls_client_cert": "-----BEGIN CERTIFICATE-----"},
            "`tls_client_cert` holds the text of a file, not its path",
            "put it into a file of its own and name that",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_there_is_told_with_what_to_write(properties: dict[str, Any], words: str, help_: str) -> None:
    """Hosts, the name in EHLO, local addresses and paths are looked at before anything is opened."""
    problem = only(properties)
    assert (problem.code, problem.message, helps(problem)) == ("E203", words, [help_])


@pytest.mark.parametrize("helo", ["mail.example.com", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]", "mx-1"])
def test_a_name_for_ehlo_is_taken(helo: str) -> None:
    """What goes on the wire as it is written is no fault."""
    assert told({"helo": helo}) == []


def test_a_host_that_is_none_is_one_fault() -> None:
    """Nothing is said of the login on its way there."""
    assert told({"smtp_server": "mail.example.com:587", **LOGIN}) == [("E203", ":587")]


def test_a_login_in_a_name_is_not_repeated() -> None:
    """What stands before an `@` may be a password."""
    for text in ("kari:canary@mail.example.com", "https://kari:canary@mail.example.com"):
        found = checked({"smtp_server": text}).problems
        assert "E203" in {problem.code for problem in found}
        assert not any("canary" in problem.message + "".join(helps(problem)) for problem in found)
