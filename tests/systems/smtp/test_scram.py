"""SCRAM-SHA-256 against a server that is written out here."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.secret import Secret
from systems.mail import Reason
from systems.smtp.mechanisms import Credentials, Refusal
from systems.smtp.saslprep import UnpreparedError
from systems.smtp.scram import MOST_ROUNDS, ScramSha256

NONCE = b"rOprNGfwEbeRWgbNEkqO"
FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def scram(user: str = "user", password: str = "pencil", nonce: bytes = NONCE) -> ScramSha256:
    """A login that has begun."""
    login = ScramSha256(Credentials(Secret(user), Secret(password)), nonce)
    login.start()
    return login


def refusal_of(login: ScramSha256) -> Refusal:
    """Why a login was given up."""
    assert login.refusal is not None
    assert login.refusal.reason is Reason.VIOLATION
    return login.refusal


def sha256_hmac(key: bytes, data: bytes) -> bytes:
    """HMAC by hand (RFC 2104)."""
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(one ^ 0x36 for one in key) + data).digest()
    return hashlib.sha256(bytes(one ^ 0x5C for one in key) + inner).digest()


@dataclass
class Server:
    """The other side of RFC 5802: it keeps two keys for each user, never the password."""

    rounds: int
    salt: bytes
    users: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    talk: list[bytes] = field(default_factory=list)
    nonce: bytes = b""
    user: str = ""

    def enrol(self, user: str, password: str) -> None:
        """Keep what is needed to check a password."""
        block = previous = sha256_hmac(password.encode(), self.salt + b"\0\0\0\1")
        for _ in range(self.rounds - 1):
            previous = sha256_hmac(password.encode(), previous)
            block = bytes(one ^ other for one, other in zip(block, previous, strict=True))
        stored = hashlib.sha256(sha256_hmac(block, b"Client Key")).digest()
        self.users[user] = (stored, sha256_hmac(block, b"Server Key"))

    def first(self, message: bytes, more: bytes = b"MORE") -> bytes:
        """The challenge."""
        binding, identity, bare = message.split(b",", 2)
        assert (binding, identity) == (b"n", b"")
        user, nonce = bare.split(b",")
        assert user[:2] == b"n="
        assert nonce[:2] == b"r="
        self.user = user[2:].decode().replace("=2C", ",").replace("=3D", "=")
        self.nonce = nonce[2:] + more
        answer = b"r=%b,s=%b,i=%d" % (self.nonce, base64.b64encode(self.salt), self.rounds)
        self.talk = [bare, answer]
        return answer

    def final(self, message: bytes) -> bytes | None:
        """The server's signature; None if the proof is wrong."""
        rest, _, proof = message.rpartition(b",p=")
        assert rest == b"c=biws,r=" + self.nonce
        stored, server_key = self.users[self.user]
        talk = b",".join([*self.talk, rest])
        mask = sha256_hmac(stored, talk)
        key = bytes(one ^ other for one, other in zip(base64.b64decode(proof), mask, strict=True))
        if hashlib.sha256(key).digest() != stored:
            return None
        return b"v=" + base64.b64encode(sha256_hmac(server_key, talk))


def test_it_says_what_the_rfc_shows() -> None:
    """The example of RFC 7677 section 3."""
    login = ScramSha256(Credentials(Secret("user"), Secret("pencil")), NONCE)
    assert login.start() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert login.step(FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert login.step(FINAL) == b""
    assert login.satisfied()
    assert login.refusal is None


names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)


@settings(max_examples=15)
@given(names, names, st.binary(min_size=1, max_size=40))
def test_it_logs_in_at_a_server_that_knows_no_password(user: str, password: str, salt: bytes) -> None:
    """Both prove that they know the password, for any user name, password and salt; a wrong one is not let in."""
    server = Server(4096, salt)
    server.enrol(user, password)
    login = ScramSha256(Credentials(Secret(user), Secret(password)), NONCE)
    signature = server.final(login.step(server.first(login.start())) or b"")
    assert signature is not None
    assert login.step(signature) == b""
    assert login.satisfied()
    stranger = ScramSha256(Credentials(Secret(user), Secret(password + "x")), NONCE)
    assert server.final(stranger.step(server.first(stranger.start())) or b"") is None


def test_names_and_passwords_are_prepared() -> None:
    """Two spellings of a password are the same password, and a comma in a user name does not end it."""
    server = Server(4096, b"salt")
    server.enrol("IX,=a b", "å Ⅸ".replace("Ⅸ", "IX"))
    login = ScramSha256(Credentials(Secret("\u2168,=a\u00a0b"), Secret("a\u030a\u2003\u2168")), NONCE)
    assert login.start() == b"n,,n=IX=2C=3Da b,r=" + NONCE
    assert login.step(server.final(login.step(server.first(login.start())) or b"") or b"") == b""
    assert login.satisfied()


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        ("user", "tab\there", "the password has a control character, which SCRAM-SHA-256 cannot send"),
        ("\ue000", "x", "the user name has a private character, which SCRAM-SHA-256 cannot send"),
        ("user", "\u00ad", "the password has only characters that SCRAM-SHA-256 passes over"),
    ],
)
def test_what_cannot_be_prepared_is_refused_in_words(user: str, password: str, words: str) -> None:
    """Before anything is sent, and without repeating it."""
    with pytest.raises(UnpreparedError) as refused:
        scram(user, password)
    assert str(refused.value) == words


@pytest.mark.parametrize("nonce", [b"", b"short", b"x" * 15, b"a,b" * 8, b"a b" * 8, b"\xff" * 20])
def test_a_nonce_is_printable_and_long(nonce: bytes) -> None:
    """Another one is a wrong call."""
    with pytest.raises(ValueError, match="a nonce has 16 printable characters or more, and no comma"):
        scram(nonce=nonce)


def test_a_password_is_needed() -> None:
    """Without one there is nothing to prove."""
    with pytest.raises(ValueError, match="SCRAM-SHA-256 needs a password"):
        ScramSha256(Credentials(Secret("user")), NONCE)


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"r=" + NONCE + b"x,s=AAAA",
        b"r=" + NONCE + b"x,i=4096,s=AAAA",
        b"r=" + NONCE + b"x,s=,i=4096",
        b"r=" + NONCE + b"x,s=A,i=4096",
        b"r=" + NONCE + b"x,s=A*AA,i=4096",
        b"r=" + NONCE + b"x,s=AAAA,i=",
        b"r=" + NONCE + b"x,s=AAAA,i=0",
        b"r=" + NONCE + b"x,s=AAAA,i=-4096",
        b"r=" + NONCE + b"x,s=AAAA,i=4096.0",
        b"r=" + NONCE + b"x,s=AAAA,i=04096",
        b"r=" + NONCE + b"x,s=AAAA,i=" + b"9" * 5000,
        b"r=" + NONCE + b"x,s=AAAA,i=4096,",
        b"r=" + NONCE + b"x,s=AAAA,i=4096,nonsense",
        b"r=" + NONCE + b"\x80,s=AAAA,i=4096",
        b"x=" + NONCE + b"x,s=AAAA,i=4096",
        FIRST + b"\n",
        FIRST + b"\0",
    ],
)
def test_a_malformed_challenge_ends_the_login(challenge: bytes) -> None:
    """Nothing is computed from what is not in the form of RFC 5802."""
    login = scram()
    assert login.step(challenge) is None
    assert refusal_of(login).text == "a challenge of SCRAM-SHA-256 that is not in the form of one"
    assert login.step(FIRST) is None
    assert not login.satisfied()


def test_extensions_are_passed_over_and_demanded_ones_refused() -> None:
    """RFC 5802 section 5.1: attributes behind the known ones mean nothing here; `m` would change the meaning."""
    assert scram().step(FIRST + b",x=new,Y=2=3") is not None
    login = scram()
    assert login.step(b"m=new," + FIRST) is None
    assert refusal_of(login).text == "the server demands an extension of SCRAM that is not known here"


@pytest.mark.parametrize("nonce", [NONCE, b"another" + NONCE, NONCE[:-1] + b"xxxx"])
def test_the_nonce_of_another_login_is_an_attack(nonce: bytes) -> None:
    """The server's nonce begins with the client's and goes on."""
    login = scram()
    assert login.step(b"r=" + nonce + b",s=AAAA,i=4096") is None
    assert refusal_of(login).security


@pytest.mark.parametrize("rounds", [1, 4095, MOST_ROUNDS + 1, 9_999_999_999])
def test_the_rounds_have_bounds(rounds: int) -> None:
    """Too few would tell the password, too many would keep this side from working."""
    login = scram()
    assert login.step(b"r=%bx,s=AAAA,i=%d" % (NONCE, rounds)) is None
    assert refusal_of(login).text == f"the server asks for {rounds} rounds, and 4096 to 1000000 are allowed"


@pytest.mark.parametrize("final", [b"v=AAAA", b"v=" + base64.b64encode(bytes(32)), b"v=***", b"x=1", FINAL[:-2]])
def test_a_wrong_signature_is_an_attack(final: bytes) -> None:
    """A server that does not know the password is not given mail."""
    login = scram()
    login.step(FIRST)
    assert login.step(final) is None
    assert refusal_of(login) == Refusal(
        Reason.VIOLATION, "the server did not prove that it knows the password", security=True
    )
    assert not login.satisfied()


@pytest.mark.parametrize("final", [b"", b"v", b"v=", FINAL + b"\n,", FINAL + b",", FINAL + b",x"])
def test_a_malformed_end_ends_the_login(final: bytes) -> None:
    """It proves nothing."""
    login = scram()
    login.step(FIRST)
    assert login.step(final) is None
    assert refusal_of(login).text == "an end of SCRAM-SHA-256 that is not in the form of one"


@pytest.mark.parametrize("steps", [0, 1])
def test_a_server_that_skips_its_proof_is_an_attack(steps: int) -> None:
    """It lets the client in before it has proved anything."""
    login = scram()
    for challenge in (FIRST,)[:steps]:
        login.step(challenge)
    assert not login.satisfied()
    assert refusal_of(login).security


def test_the_reason_of_a_refusal_is_read() -> None:
    """`e=` is answered with nothing, so that the server's reply follows; a login that it then lets in is an attack."""
    login = scram()
    login.step(FIRST)
    assert login.step(b"e=invalid-proof") == b""
    assert login.said == "invalid-proof"
    assert login.refusal is None
    assert not login.satisfied()
    assert refusal_of(login).security


@pytest.mark.parametrize("end", [FINAL, b"e=other-error"])
def test_nothing_follows_the_end(end: bytes) -> None:
    """A third challenge is none of this mechanism's."""
    login = scram()
    login.step(FIRST)
    assert login.step(end) == b""
    assert login.step(FIRST) is None
    assert refusal_of(login).text == "SCRAM-SHA-256 has two challenges, and the server sends more"


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(FIRST), st.just(FINAL)), max_size=4))
def test_no_talk_of_a_server_breaks_it_or_tells_the_password(challenges: list[bytes]) -> None:
    """Every challenge has an answer or a refusal; only the right talk satisfies; nothing printed has credentials."""
    login = scram("user-Zq4x", "pass-Zq4x")
    for challenge in challenges:
        login.step(challenge)
    assert not login.satisfied()
    assert "Zq4x" not in f"{login!r} {login.refusal!r} {login.said} {[getattr(login, s) for s in login.__slots__]}"
