"""What each login mechanism says, and what it does not answer."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.secret import MASK, Secret
from systems.mail import Reason
from systems.smtp.mechanisms import (
    LONGEST_CHALLENGE,
    LONGEST_SAID,
    CramMd5,
    Credentials,
    LoginByTurns,
    OAuthBearer,
    Plain,
    Sasl,
    XOAuth2,
)

USER, PASSWORD, TOKEN = "tim", "tanstaaftanstaaf", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="


def credentials(user: str = USER, password: str | None = PASSWORD, token: str | None = TOKEN) -> Credentials:
    """Credentials of both kinds."""
    return Credentials(
        Secret(user), None if password is None else Secret(password), None if token is None else Secret(token)
    )


def reason_of(login: Sasl) -> str:
    """Why a login was given up."""
    assert login.refusal is not None
    assert login.refusal.reason is Reason.VIOLATION
    return login.refusal.text


def test_plain_says_what_the_rfc_shows() -> None:
    """The example of RFC 4616 section 4."""
    login = Plain(credentials())
    assert base64.b64encode(login.start()) == b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm"
    assert login.satisfied()
    assert login.said == ""


def test_plain_answers_no_challenge() -> None:
    """There is none, so whoever sends one does not speak PLAIN."""
    login = Plain(credentials())
    login.start()
    assert login.step(b"") is None
    assert reason_of(login) == "PLAIN has no challenges, and the server sends one"
    assert not login.satisfied()


@pytest.mark.parametrize(
    ("first", "second"),
    [(b"Username:", b"Password:"), (b"", b""), (b"User Name\0", b"Password\0"), (b"Brukernavn:", b"Passord:")],
)
def test_login_gives_the_user_name_then_the_password(first: bytes, second: bytes) -> None:
    """The order decides, in whatever words the server asks."""
    login: Sasl = LoginByTurns(credentials())
    assert login.start() is None
    assert (login.step(first), login.step(second)) == (USER.encode(), PASSWORD.encode())
    assert login.satisfied()


def test_login_gives_no_third_answer() -> None:
    """A server that goes on asking is refused, and stays refused."""
    login = LoginByTurns(credentials())
    assert [login.step(b"") for _ in range(4)] == [USER.encode(), PASSWORD.encode(), None, None]
    assert reason_of(login) == "LOGIN has two challenges, and the server sends more"


def test_login_does_not_give_the_password_for_a_user_name() -> None:
    """User names are logged; a server that asks for one again has not understood the first."""
    login = LoginByTurns(credentials())
    assert [login.step(b"Username:"), login.step(b"USERNAME:")] == [USER.encode(), None]
    assert reason_of(login) == "the server asks for the user name twice"


def test_cram_md5_says_what_the_rfc_shows() -> None:
    """The example of RFC 2195 section 2."""
    login: Sasl = CramMd5(credentials())
    assert login.start() is None
    answer = login.step(b"<1896.697170952@postoffice.reston.mci.net>")
    assert answer == b"tim b913a602c7eda7a495b4e6e7334d3890"
    assert login.satisfied()


@given(st.text(st.characters(exclude_characters="\0\r\n", codec="utf-8"), min_size=1), st.integers(0, 10**12))
def test_cram_md5_agrees_with_hmac_by_hand(password: str, number: int) -> None:
    """The digest is that of RFC 2104, written out here, for keys shorter and longer than a block."""
    challenge = b"<%d@mail.example.com>" % number
    key = password.encode()
    key = (hashlib.md5(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.md5(bytes(one ^ 0x36 for one in key) + challenge).digest()
    digest = hashlib.md5(bytes(one ^ 0x5C for one in key) + inner).hexdigest()
    assert CramMd5(credentials(password=password)).step(challenge) == b"tim " + digest.encode()


@pytest.mark.parametrize("challenge", [b"", b"<>", b"1896@mail", b"<a b@c>", b"<a@b>\n", b"<<a@b>>", b"<a\0@b>"])
def test_cram_md5_answers_no_other_challenge(challenge: bytes) -> None:
    """A challenge in another form may be text that somebody wants a digest of."""
    login = CramMd5(credentials())
    assert login.step(challenge) is None
    assert "not in the form of a message identifier" in reason_of(login)


def test_cram_md5_answers_once() -> None:
    """One challenge, one digest."""
    login = CramMd5(credentials())
    login.step(b"<1@a>")
    assert login.step(b"<2@a>") is None
    assert reason_of(login) == "CRAM-MD5 has one challenge, and the server sends more"


def test_xoauth2_says_what_providers_show() -> None:
    """The example of Google's description of the protocol."""
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    login = XOAuth2(credentials("someuser@example.com", None, token))
    assert base64.b64encode(login.start() or b"") == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0"
        b"Q2cBAQ=="
    )
    assert login.satisfied()


def test_oauthbearer_says_what_the_rfc_shows() -> None:
    """The examples of RFC 7628 sections 4.1 and 4.3: the login, the refusal, the dummy that asks for its end."""
    login = OAuthBearer(
        Credentials(Secret("user@example.com"), token=Secret(TOKEN), host="server.example.com", port=143)
    )
    assert base64.b64encode(login.start() or b"") == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52"
        b"YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
    challenge = base64.b64decode(
        "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczov"
        "L2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="
    )
    assert login.step(challenge) == b"\1"
    assert login.said == "status invalid_token, scope example_scope"
    assert login.refusal is None


def test_oauthbearer_escapes_the_user_name() -> None:
    """A comma or `=` in a user name does not end it."""
    login = OAuthBearer(credentials("a,b=c", None))
    assert login.start() == b"n,a=a=2Cb=3Dc,\1auth=Bearer " + TOKEN.encode() + b"\1\1"


@pytest.mark.parametrize("kind", [XOAuth2, OAuthBearer])
def test_a_refused_token_that_is_let_in_is_not_believed(kind: type[Sasl]) -> None:
    """The server says no within the talk and yes at its end."""
    login = kind(credentials())
    login.start()
    assert login.step(b'{"status":"401"}') == (b"" if kind is XOAuth2 else b"\1")
    assert not login.satisfied()
    assert not login.satisfied()
    assert reason_of(login) == "the server refuses the token and then lets the client in"


@pytest.mark.parametrize("kind", [XOAuth2, OAuthBearer])
def test_a_token_is_refused_once(kind: type[Sasl]) -> None:
    """After the dummy comes the end."""
    login = kind(credentials())
    assert login.step(b"{}") is not None
    assert login.step(b"{}") is None
    assert reason_of(login) == f"{kind.name} has one challenge, and the server sends more"


@pytest.mark.parametrize(
    ("challenge", "said"),
    [
        (b'{"status":"400","schemes":"Bearer","scope":"https://mail.example.com/"}', "status 400, scope https://mail"),
        (b'{"status":400}', '{"status":400}'),
        (b'["no"]', '["no"]'),
        (b"not json", "not json"),
        (b"\xff\x1b[2J", "\\xff\\x1b[2J"),
        (b'{"status":"\\ud800"}', "status \\ud800"),
        (b"[" * 9000, "[" * LONGEST_SAID),
        (b"", ""),
    ],
)
def test_the_reason_of_a_refusal_is_text_for_people(challenge: bytes, said: str) -> None:
    """What the server says is kept, bounded, and without what a terminal would obey."""
    login = XOAuth2(credentials())
    assert login.step(challenge) == b""
    assert login.said.startswith(said)
    assert login.said.isprintable()
    assert len(login.said) <= LONGEST_SAID


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (TOKEN, MASK),
        (json.dumps({"status": TOKEN, "scope": "mail"}), f"status {MASK}, scope mail"),
        (base64.b64encode(f"auth=Bearer {TOKEN}".encode()).decode(), MASK),
        (f"user {USER} is unknown", f"user {MASK} is unknown"),
        ("pæss wørd is wrong", f"{MASK} is wrong"),
    ],
)
def test_a_credential_that_the_server_repeats_is_masked(words: str, said: str) -> None:
    """What people read holds no credential, even if the server sends it back."""
    login = XOAuth2(credentials(password="pæss wørd"))
    login.step(words.encode())
    assert login.said == said


@pytest.mark.parametrize("kind", [Plain, LoginByTurns, CramMd5, XOAuth2, OAuthBearer])
def test_long_challenges_are_not_looked_at(kind: type[Sasl]) -> None:
    """12288 characters of base64 are the most."""
    login = kind(credentials())
    assert login.step(b"<" + b"a" * (LONGEST_CHALLENGE - 1) + b">") is None
    assert reason_of(login) == "a login challenge that is too long"


@pytest.mark.parametrize("kind", [Plain, CramMd5, XOAuth2, OAuthBearer])
def test_a_mechanism_without_its_credential_is_a_wrong_call(kind: type[Sasl]) -> None:
    """Nothing is sent in place of a credential."""
    login = kind(credentials(password=None, token=None))
    with pytest.raises(ValueError, match="the mechanism needs a credential that is not there"):
        _ = login.start() or login.step(b"<1@a>")


@pytest.mark.parametrize(
    ("given_user", "given_password", "given_token", "words"),
    [
        ("", "x", None, "the user name is empty"),
        ("a\0b", "x", None, "the user name has a NUL character"),
        ("a\rb", "x", None, "the user name has a line break"),
        ("a\1b", None, "x", "the user name has a control character"),
        ("\ud800", "x", None, "the user name has half of a surrogate pair, which is no character"),
        ("å" * 513, "x", None, "the user name is longer than 1024 bytes"),
        ("a", "", None, "the password is empty"),
        ("a", "x\0", None, "the password has a NUL character"),
        ("a", "x\ny", None, "the password has a line break"),
        ("a", "x" * 1025, None, "the password is longer than 1024 bytes"),
        ("a", None, "", "the token is empty"),
        ("a", None, "x y", "the token has a space or is not printable ASCII"),
        ("a", None, "x\1auth=y", "the token has a space or is not printable ASCII"),
        ("a", None, "x\n", "the token has a space or is not printable ASCII"),
        ("a", None, "x" * 8193, "the token is longer than 8192 characters"),
    ],
)
def test_credentials_that_break_the_talk_are_refused_in_words(
    given_user: str, given_password: str | None, given_token: str | None, words: str
) -> None:
    """The words say what is wrong and repeat nothing of the credential."""
    assert credentials(given_user, given_password, given_token).fault() == words


@pytest.mark.parametrize("host", ["a b", "ø.example", "x" * 256, "a\1port=25"])
def test_a_server_name_that_breaks_the_talk_is_refused(host: str) -> None:
    """The name stands between separators, so it holds none."""
    assert Credentials(Secret("a"), token=Secret("t"), host=host).fault() is not None


@pytest.mark.parametrize("password", ["x" * 1024, "tab\tis fine", "blåbær", "\x7f", " "])
def test_odd_passwords_are_credentials(password: str) -> None:
    """Only what breaks the talk is refused."""
    assert credentials(password=password).fault() is None


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_nothing_of_credentials_stands_in_what_can_be_printed(challenges: list[bytes]) -> None:
    """`repr`, words of refusal and what the server said are free of credentials, whatever the server sends."""
    for kind in (Plain, LoginByTurns, CramMd5, XOAuth2, OAuthBearer):
        login = kind(credentials("user-Zq4x", "pass-Zq4x", "token-Zq4x"))
        login.start()
        for challenge in (*challenges, b"Zq4x"[:2]):
            login.step(challenge)
        login.satisfied()
        assert "Zq4x" not in f"{login!r} {login.credentials!r} {login.refusal!r} {login.said}"
