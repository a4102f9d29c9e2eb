from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pipeline.dtl.errors import DtlError
from pipeline.dtl.scope import Host
from pipeline.dtl.trial import evaluated
from pipeline.entity import transit

pysequoia = pytest.importorskip("pysequoia")


def value_of(expression: Any, source: Any = None) -> Any:
    """What an expression gives, as JSON."""
    return transit(evaluated(expression, source, None, Host(lambda: 0, lambda: UUID(int=1))))


def public_pem(key: Any) -> str:
    """A public key as text."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    written: bytes = key.public_key().public_bytes(serialization.Encoding.PEM, form)
    return written.decode()


def private_pem(key: Any, protection: Any = None) -> str:
    """A private key as text."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    written: bytes = key.private_bytes(serialization.Encoding.PEM, form, protection or serialization.NoEncryption())
    return written.decode()


@cache
def rsa_key(_: int, /) -> rsa.RSAPrivateKey:
    """One of some keys: to make one takes a moment."""
    return rsa.generate_private_key(65537, 2048)


@cache
def pgp_key(number: int, /) -> Any:
    """One of some keys."""
    return pysequoia.Tsk.generate(f"Reader {number} <reader@example.com>")


def rsa_source(number: int = 0) -> dict[str, str]:
    """An entity with the texts of an RSA key."""
    return {"public": public_pem(rsa_key(0)), "private": private_pem(rsa_key(number))}


def pgp_source(number: int = 0) -> dict[str, str]:
    """An entity with the texts of an OpenPGP key."""
    return {"public": str(pgp_key(0).extract_certificate()), "private": str(pgp_key(number))}


@pytest.mark.parametrize("text", ["text", "", "å\N{GRINNING FACE}", "\ud800", "x" * 190])
def test_rsa_gives_the_text_again(text: str) -> None:
    """What was encrypted with a public key, the private one decrypts; a list stays a list."""
    encrypted = ["encrypt-pki", "_S.public", ["list", ["literal", text], 5]]
    assert value_of(["decrypt-pki", "_S.private", encrypted], rsa_source()) == [text]


@pytest.mark.parametrize("text", ["text", "", "å\N{GRINNING FACE}", "\ud800", "x" * 100_000])
def test_openpgp_gives_the_text_again(text: str) -> None:
    """What was encrypted with a public key, the private one decrypts; a list stays a list."""
    encrypted = ["encrypt-pgp", "_S.public", ["list", ["literal", text], 5]]
    assert value_of(["decrypt-pgp", "_S.private", None, encrypted], pgp_source()) == [text]


def test_what_is_not_for_this_key_is_left_out() -> None:
    """Messages for others, broken ones and other texts."""
    others = rsa_source(1)
    assert value_of(["decrypt-pki", "_S.private", ["encrypt-pki", "_S.public", "text"]], others) is None
    assert value_of(["decrypt-pki", "_S.private", ["list", ["bytes", "text"]]], others) == []
    others = pgp_source(1)
    assert value_of(["decrypt-pgp", "_S.private", None, ["encrypt-pgp", "_S.public", "text"]], others) is None
    assert value_of(["decrypt-pgp", "_S.private", None, ["list", "text", "\ud800"]], others) == []


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (["encrypt-pki", "_S.public", "x" * 191], "more than 190 bytes"),
        (["encrypt-pki", "_S.private", "x"], "PUBLIC_KEY is an RSA key in PEM"),
        (["encrypt-pki", "_S.curve", "x"], "PUBLIC_KEY is an RSA key in PEM"),
        (["encrypt-pki", None, "x"], "PUBLIC_KEY is an RSA key in PEM"),
        (["encrypt-pki", 5, "x"], "a key is a text"),
        (["decrypt-pki", "_S.locked", "~bYQ=="], "PRIVATE_KEY is an RSA key in PEM without a passphrase"),
        (["decrypt-pki", "_S.public", "~bYQ=="], "PRIVATE_KEY is an RSA key in PEM"),
        (["encrypt-pgp", "_S.public", "x"], "PUBLIC_KEY is an OpenPGP key"),
        (["decrypt-pgp", "_S.private", None, "x"], "PRIVATE_KEY is an OpenPGP key"),
    ],
)
def test_keys_that_are_none_are_told_without_them(expression: Any, told: str) -> None:
    """The error says which argument it is, and nothing of what is in it."""
    source = {
        **rsa_source(),
        "curve": public_pem(ec.generate_private_key(ec.SECP256R1())),
        "locked": private_pem(rsa_key(0), serialization.BestAvailableEncryption(b"passphrase")),
    }
    with pytest.raises(DtlError) as caught:
        value_of([part if part != "~bYQ==" else ["bytes", "a"] for part in expression], source)
    assert told in str(caught.value)
    assert "PRIVATE KEY---" not in str(caught.value).replace(caught.value.why, "")
    assert "Stack" not in str(caught.value)


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not at hand")
def test_gnupg_understands_us_and_we_understand_it(tmp_path: Path) -> None:
    """Both read what the other encrypts; a key with a passphrase is opened by it and by no other."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)

    def gpg(*arguments: str, given: str = "") -> str:
        command = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "open sesame", *arguments]
        environment = {**os.environ, "GNUPGHOME": str(home)}
        return subprocess.run(command, input=given, env=environment, capture_output=True, text=True, check=True).stdout

    try:
        gpg("--quick-gen-key", "reader@example.com", "rsa2048", "default", "never")
        fingerprint = next(
            line.split(":")[9] for line in gpg("--list-keys", "--with-colons").splitlines() if line.startswith("fpr")
        )
        gpg("--quick-add-key", fingerprint, "rsa2048", "encr", "never")
        source = {
            "public": gpg("--armor", "--export"),
            "private": gpg("--armor", "--export-secret-keys"),
            "message": gpg("--armor", "--trust-model", "always", "-er", "reader@example.com", given="from them, å"),
        }
        ours = value_of(["encrypt-pgp", "_S.public", "from us, å"], source)
        assert gpg("--decrypt", given=ours) == "from us, å"
        assert value_of(["decrypt-pgp", "_S.private", "open sesame", "_S.message"], source) == "from them, å"
        with pytest.raises(DtlError, match="PASSPHRASE does not open PRIVATE_KEY"):
            value_of(["decrypt-pgp", "_S.private", "another", "_S.message"], source)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not at hand")
def test_openssl_understands_us(tmp_path: Path) -> None:
    """It decrypts what we encrypt, with OAEP and SHA-256."""
    key = tmp_path / "key.pem"
    key.write_text(private_pem(rsa_key(0)))
    found = evaluated(
        ["encrypt-pki", "_S.public", "from us, å"], rsa_source(), None, Host(lambda: 0, lambda: UUID(int=1))
    )
    options = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"]
    command = [
        "openssl",
        "pkeyutl",
        "-decrypt",
        "-inkey",
        str(key),
        *(each for one in options for each in ("-pkeyopt", one)),
    ]
    assert subprocess.run(command, input=found, capture_output=True, check=True).stdout.decode() == "from us, å"
