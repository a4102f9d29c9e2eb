"""Signatures that others verify, and that nothing added or changed survives."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256

import dkim  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.dkim import Signer, SignerError, relaxed_body, relaxed_field
from sinks.mail.letter import Heading, Letter, Mailbox
from sinks.mail.mime import Writer
from tests.sinks.mail import strict_reader
from tests.sinks.mail.letters import Random

WHEN = 1_600_000_000
# RFC 8463 appendix A.2
SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def pem(key: PrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """The key as text."""
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def signers(rsa_key: rsa.RSAPrivateKey) -> tuple[Signer, Signer]:
    """One with each algorithm."""
    return Signer("example.com", "rsa1", pem(rsa_key)), Signer("example.com", "ed1", SEED)


def verified(content: bytes, signers: tuple[Signer, ...]) -> list[bool]:
    """What an independent verifier says of each signature."""
    records = {f"{signer.record_name}.".encode(): signer.record.encode() for signer in signers}

    def dns(name: bytes, **_: object) -> bytes | None:
        return records.get(name)

    def holds(index: int) -> bool:
        try:
            return bool(dkim.DKIM(content).verify(idx=index, dnsfunc=dns))
        except dkim.ValidationError:
            return False

    return [holds(index) for index in range(content.count(b"DKIM-Signature:"))]


def signed(signers: tuple[Signer, ...], letter: Letter | None = None, heading: Heading | None = None) -> bytes:
    """A signed mail; a strict reader has read it."""
    one = letter or Letter("k", WHEN, (Mailbox("", "ann@example.org"),), "Hello", "Hello\n\n\n", "<p>a  b \t c</p>")
    content = Writer(heading or Heading(Mailbox("", "post@example.com")), signers).write(one).content
    strict_reader.read(re.sub(rb"DKIM-Signature(?=[^\0]*\r\nDKIM-Signature)", b"DKIM-Signature-0", content))
    return content


def test_both_algorithms_are_verified_by_another_program(signers: tuple[Signer, ...]) -> None:
    """Each signature holds, one beside the other."""
    content = signed(signers)
    assert content.startswith(
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com;\r\n s=rsa1; t=1600000000;"
    )
    assert b"a=ed25519-sha256" in content
    assert verified(content, signers) == [True, True]


def test_random_mails_verify(signers: tuple[Signer, ...]) -> None:
    """Whatever is in a mail, UTF-8 headers and files too, its signature holds."""
    ed = signers[1:]
    for seed in range(150):
        draw = Random(seed)
        heading, letter = draw.heading(), draw.letter(seed)._replace(at=WHEN)
        content = Writer(heading, ed).write(letter).content
        assert verified(content, ed) == [True], seed


changes = {
    "the subject": (b"Subject: Hello", b"Subject: Hallo"),
    "the text": (b"Hello\r\n\r\n", b"Hallo\r\n\r\n"),
    "a second From": (b"\r\nFrom:", b"\r\nFrom: ceo@example.com\r\nFrom:"),
    "a second Subject": (b"\r\nSubject:", b"\r\nSubject: Pay now\r\nSubject:"),
    "a Reply-To": (b"\r\nSubject:", b"\r\nReply-To: x@evil.example\r\nSubject:"),
    "a Cc": (b"\r\nSubject:", b"\r\nCc: x@evil.example\r\nSubject:"),
    "a second Content-Type": (b"\r\nMIME", b"\r\nContent-Type: text/html\r\nMIME"),
}


@pytest.mark.parametrize(("there", "instead"), changes.values(), ids=changes)
def test_a_changed_mail_does_not_verify(signers: tuple[Signer, ...], there: bytes, instead: bytes) -> None:
    """Nobody changes or adds what a reader sees."""
    content = signed(signers)
    assert there in content
    assert verified(content.replace(there, instead, 1), signers) == [False, False]


def test_what_servers_do_does_not_matter(signers: tuple[Signer, ...]) -> None:
    """Folding, spaces at line ends, a Received more: the signature holds."""
    content = signed(signers)
    content = content.replace(b"Subject: Hello", b"Subject:\r\n\tHello ").replace(
        b"Hello\r\n\r\n\r\n", b"Hello \r\n\r\n\r\n"
    )
    assert verified(b"Received: from a by b; Fri, 13 Sep 2020 12:26:40 +0000\r\n" + content, signers) == [True, True]


def test_unsubscribing_is_signed(signers: tuple[Signer, ...]) -> None:
    """RFC 8058 section 4: both headers are covered."""
    letter = Letter("k", WHEN, text="x", to=(Mailbox("", "a@example.org"),), unsubscribe=("https://example.com/u",))
    content = signed(signers[1:], letter, Heading(Mailbox("", "post@example.com"), one_click=True))
    names = re.sub(rb"\s", b"", content.partition(b" h=")[2].partition(b";")[0]).split(b":")
    assert names.count(b"list-unsubscribe") == names.count(b"list-unsubscribe-post") == 2
    assert verified(content.replace(b"example.com/u>", b"example.com/x>"), signers[1:]) == [False]


def test_the_form_that_is_signed_is_that_of_the_standard() -> None:
    """The examples of RFC 6376 section 3.4.5 and the hash of RFC 8463 appendix A.3."""
    assert relaxed_field(b"A: X") == (b"a", b"a:X")
    assert relaxed_field(b"B : Y\t\r\n\tZ  ") == (b"b", b"b:Y Z")
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_body(b"\r\n\r\n") == b""
    body = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
    assert b64encode(sha256(relaxed_body(body)).digest()) == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="


@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"  \r\n", b"b c"]), max_size=30).map(b"".join))
def test_the_form_of_a_body_is_the_one_of_another_program(body: bytes) -> None:
    """Blank lines at the end, runs of spaces, spaces at line ends."""
    assert relaxed_body(body) == dkim.canonicalization.Relaxed.canonicalize_body(body) or not body.endswith(b"\r\n")


def test_a_key_may_be_written_in_several_ways(rsa_key: rsa.RSAPrivateKey) -> None:
    """PEM of two kinds, PEM on one line, base64 of DER, and the bare 32 bytes of Ed25519 make the same record."""
    whole = pem(rsa_key)
    der = b64encode(rsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()
    texts = (whole, pem(rsa_key, PrivateFormat.TraditionalOpenSSL), whole.replace("\n", "\\n"), f" {der}\n")
    assert len({Signer("example.com", "s", text).record for text in texts}) == 1
    bare = ed25519.Ed25519PrivateKey.from_private_bytes(b64decode(SEED))
    assert Signer("example.com", "s", pem(bare)).record == Signer("example.com", "s", SEED).record
    assert Signer("example.com", "s", SEED).record == f"v=DKIM1; k=ed25519; p={PUBLIC}"
    assert Signer("Blåbær.example", "s", SEED).record_name == "s._domainkey.xn--blbr-roah.example"


def faulty_keys() -> dict[str, tuple[str, str]]:
    """Keys that nothing can be signed with."""
    locked = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    none = "not a private key: it is PEM without a password, or base64"
    return {
        "nothing": ("", none),
        "words": ("my secret key", none),
        "base64 of something": ("c2VjcmV0", none),
        "PEM of something": ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", none),
        "a password": (locked.decode(), none),
        "another kind": (pem(ec.generate_private_key(ec.SECP256R1())), "neither an RSA nor an Ed25519 key"),
    }


@pytest.mark.parametrize(("text", "why"), faulty_keys().values(), ids=faulty_keys())
def test_what_is_no_key_is_refused_without_being_shown(text: str, why: str) -> None:
    """The fault says what a key looks like, and nothing of this one."""
    with pytest.raises(SignerError) as caught:
        Signer("example.com", "s", text)
    assert str(caught.value) == why
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_key_that_receivers_do_not_take_is_refused() -> None:
    """RFC 8301: verifiers take no RSA key of fewer than 1024 bits."""
    p, q, e = 2**127 - 1, 2**521 - 1, 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, p * q)
    )
    with pytest.raises(SignerError, match="an RSA key of 648 bits; receivers take 1024 or more"):
        Signer("example.com", "s", pem(numbers.private_key()))


@pytest.mark.parametrize(
    ("domain", "selector"),
    [
        ("example", "s"),
        ("a b.com", "s"),
        ("[192.0.2.1]", "s"),
        ("example.com", "a b"),
        ("example.com", ""),
        ("example.com", "s;d=x"),
    ],
)
def test_a_domain_and_a_selector_stand_in_the_dns(domain: str, selector: str) -> None:
    """Nothing else can be in the signature's tags."""
    with pytest.raises(SignerError):
        Signer(domain, selector, SEED)
