"""Which login is used, and that it fits the wire."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.secret import Secret
from systems.mail import Reason
from systems.smtp.auth import Kind, choose, mechanism
from systems.smtp.login import Exchange, Mechanism
from systems.smtp.mechanisms import Credentials, Refusal, Sasl
from systems.smtp.replies import ReplyParser

NONCE = b"0123456789abcdef"
STRONGEST_FIRST = ["OAUTHBEARER", "XOAUTH2", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"]


@pytest.mark.parametrize(
    ("offered", "have", "chosen"),
    [
        (STRONGEST_FIRST, ["token"], "OAUTHBEARER"),
        (["LOGIN", "xoauth2"], ["token", "password"], "XOAUTH2"),
        (["PLAIN", "LOGIN", "XOAUTH2", "SCRAM-SHA-256"], ["password"], "SCRAM-SHA-256"),
        (["LOGIN", "CRAM-MD5", "NTLM"], ["password"], "CRAM-MD5"),
        (["LOGIN", "PLAIN"], ["token", "password"], "PLAIN"),
        (["login"], ["password"], "LOGIN"),
    ],
)
def test_the_strongest_that_is_offered_and_can_be_fed_is_chosen(
    offered: list[str], have: list[Kind], chosen: str
) -> None:
    """A token goes before a password; a proof goes before the password itself."""
    assert choose(offered, None, have, encrypted=True, plaintext_allowed=False) == chosen


def test_the_configured_order_goes_before_strength() -> None:
    """`auth` is a list in order, and nothing outside of it is used."""
    offered = ["PLAIN", "LOGIN", "CRAM-MD5"]
    have: list[Kind] = ["password"]
    assert choose(offered, ["LOGIN", "PLAIN"], have, encrypted=True, plaintext_allowed=False) == "LOGIN"
    refused = choose(offered, ["SCRAM-SHA-256"], have, encrypted=True, plaintext_allowed=False)
    assert refused == Refusal(
        Reason.LOGIN_MISSING, "the server offers CRAM-MD5, LOGIN, PLAIN; `auth` has SCRAM-SHA-256"
    )


def test_in_clear_only_proofs_are_sent() -> None:
    """A password or token crosses an unprotected connection only if that is allowed; a proof may."""
    have: list[Kind] = ["token", "password"]
    assert choose(STRONGEST_FIRST, None, have, encrypted=False, plaintext_allowed=False) == "SCRAM-SHA-256"
    assert choose(["CRAM-MD5", "PLAIN"], None, have, encrypted=False, plaintext_allowed=False) == "CRAM-MD5"
    assert choose(["PLAIN"], None, have, encrypted=False, plaintext_allowed=True) == "PLAIN"
    assert choose(["PLAIN", "LOGIN"], None, have, encrypted=False, plaintext_allowed=False) == Refusal(
        Reason.LOGIN_IN_CLEAR, "PLAIN would send the password in clear; set `tls`, or `allow_plaintext_auth`"
    )
    refused = choose(["XOAUTH2"], ["XOAUTH2"], have, encrypted=False, plaintext_allowed=False)
    assert refused == Refusal(
        Reason.LOGIN_IN_CLEAR, "XOAUTH2 would send the token in clear; set `tls`, or `allow_plaintext_auth`"
    )


@pytest.mark.parametrize(
    ("offered", "have", "words"),
    [
        ([], ["password"], "the server offers no login"),
        (
            ["NTLM", "GSSAPI"],
            ["password"],
            f"the server offers GSSAPI, NTLM; known here are {', '.join(STRONGEST_FIRST)}",
        ),
        (
            ["XOAUTH2", "OAUTHBEARER"],
            ["password"],
            "the server offers OAUTHBEARER, XOAUTH2; that needs a token, and none is configured",
        ),
        (
            ["PLAIN", "X"],
            ["token"],
            "the server offers PLAIN; that needs a password, and none is configured",
        ),
        (["\x1b[2J", "a b"], ["password"], "the server offers no login by name; known here are"),
        ([f"X{n:02}" for n in range(99)], ["password"], "X10, X11, …; known here are"),
    ],
)
def test_a_login_that_cannot_be_chosen_says_why(offered: list[str], have: list[Kind], words: str) -> None:
    """The words name what the server offers, so far as it can be shown, and what is known or configured."""
    refused = choose(offered, None, have, encrypted=True, plaintext_allowed=False)
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.LOGIN_MISSING
    assert words in refused.text
    assert refused.text.isprintable()


@given(
    st.lists(st.sampled_from([*STRONGEST_FIRST, "NTLM", "plain"]), max_size=8),
    st.none() | st.lists(st.sampled_from(STRONGEST_FIRST), min_size=1, max_size=6),
    st.sets(st.sampled_from(["token", "password"])),
    st.booleans(),
    st.booleans(),
)
def test_what_is_chosen_is_offered_wanted_fed_and_safe(
    offered: list[str], wanted: list[str] | None, have: set[Kind], encrypted: bool, plaintext_allowed: bool
) -> None:
    """Over all offers: a choice breaks no rule, and none is made only if each mechanism would break one."""

    def fits(name: str) -> bool:
        needs = "token" if name in {"OAUTHBEARER", "XOAUTH2"} else "password"
        safe = encrypted or plaintext_allowed or name in {"SCRAM-SHA-256", "CRAM-MD5"}
        return name in {each.upper() for each in offered} and needs in have and safe

    chosen = choose(offered, wanted, have, encrypted=encrypted, plaintext_allowed=plaintext_allowed)
    best = next((name for name in wanted or STRONGEST_FIRST if fits(name)), None)
    assert (chosen if isinstance(chosen, str) else None) == best


@pytest.mark.parametrize("name", STRONGEST_FIRST)
def test_every_mechanism_that_can_be_chosen_can_be_made(name: str) -> None:
    """Each name gives the machine of that name, which is one for the wire."""
    login = mechanism(name, Credentials(Secret("user"), Secret("password"), Secret("token")), NONCE)
    assert isinstance(login, Sasl)
    fits: Mechanism = login
    assert fits.name == name


@pytest.mark.parametrize("name", STRONGEST_FIRST)
def test_unfit_credentials_make_no_login(name: str) -> None:
    """They are refused in words before anything is sent."""
    refused = mechanism(name, Credentials(Secret("user"), Secret("pass\0word"), Secret("token")), NONCE)
    assert refused == Refusal(Reason.LOGIN_REFUSED, "the password has a NUL character")


def test_what_scram_cannot_send_makes_no_login() -> None:
    """SASLprep's refusal is one like the others."""
    refused = mechanism("SCRAM-SHA-256", Credentials(Secret("user"), Secret("a\tb")), NONCE)
    assert refused == Refusal(
        Reason.LOGIN_REFUSED, "the password has a control character, which SCRAM-SHA-256 cannot send"
    )


def test_an_unknown_mechanism_is_a_wrong_call() -> None:
    """`choose` gives no other names."""
    with pytest.raises(ValueError, match="no such mechanism: NTLM"):
        mechanism("NTLM", Credentials(Secret("user"), Secret("password")), NONCE)


def wire(name: str, credentials: Credentials, challenges: list[bytes]) -> list[bytes | None]:
    """The lines of a whole login."""
    login = mechanism(name, credentials, NONCE)
    assert isinstance(login, Sasl)
    exchange = Exchange(login)
    lines = [exchange.command()]
    for challenge in challenges:
        replies = ReplyParser().feed(b"334 " + base64.b64encode(challenge) + b"\r\n")
        lines += [exchange.respond(reply) for reply in replies]
    return lines


def test_logins_stand_on_the_wire_as_the_rfcs_show() -> None:
    """With an initial response, with challenges only, and with an answer that is empty."""
    tim = Credentials(Secret("tim"), Secret("tanstaaftanstaaf"), Secret("token"))
    assert wire("PLAIN", tim, []) == [b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n"]
    assert wire("LOGIN", tim, [b"Username:", b"Password:"]) == [
        b"AUTH LOGIN\r\n",
        b"dGlt\r\n",
        b"dGFuc3RhYWZ0YW5zdGFhZg==\r\n",
    ]
    assert wire("CRAM-MD5", tim, [b"<1896.697170952@postoffice.reston.mci.net>", b""]) == [
        b"AUTH CRAM-MD5\r\n",
        base64.b64encode(b"tim b913a602c7eda7a495b4e6e7334d3890") + b"\r\n",
        None,
    ]
    assert wire("XOAUTH2", tim, [b'{"status":"401"}'])[1] == b"\r\n"
    assert wire("OAUTHBEARER", tim, [b'{"status":"401"}'])[1] == b"AQ==\r\n"


def test_a_long_token_waits_for_its_challenge() -> None:
    """What does not fit into a command line goes behind an empty challenge, whole and within the limit of a line."""
    lines = wire("OAUTHBEARER", Credentials(Secret("u" * 1000), token=Secret("t" * 8192)), [b""])
    assert lines[0] == b"AUTH OAUTHBEARER\r\n"
    assert lines[1] is not None
    assert len(lines[1]) <= 12_288 + 2
    assert b"auth=Bearer " + b"t" * 8192 + b"\1\1" in base64.b64decode(lines[1])
