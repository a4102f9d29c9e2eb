"""Proofs of a password."""

from __future__ import annotations

import pytest

from systems.http.digest import Challenge, answer, challenge_of

LOGIN = ("Mufasa", "Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_proofs_of_the_standard_come_out(algorithm: str, response: str) -> None:
    """RFC 7616 section 3.9.1."""
    challenge = Challenge(
        "http-auth@example.org", NONCE, "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm, True
    )
    text = answer(challenge, LOGIN, "GET", "/dir/index.html", CNONCE, 1)
    assert f'response="{response}"' in text
    assert text.startswith('Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf')
    assert text.endswith(f'qop=auth, nc=00000001, cnonce="{CNONCE}"')


def test_the_proof_of_the_old_standard_comes_out() -> None:
    """RFC 2069 as its erratum corrects it: a server without `qop`."""
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", None, "MD5", False)
    text = answer(challenge, ("Mufasa", "CircleOfLife"), "GET", "/dir/index.html", "x", 1)
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in text
    assert "cnonce" not in text


def test_the_strongest_known_challenge_is_answered() -> None:
    """Whatever stands before, between and behind; quotes and commas in values end nothing."""
    found = challenge_of(
        [
            'Basic realm="x, y", Digest realm="a \\"b\\", c", nonce="n1", algorithm=MD5, qop="auth,auth-int"',
            'Digest nonce="n2", realm="r", algorithm=SHA-256, qop="auth", opaque="", stale=TRUE',
        ]
    )
    assert found == Challenge("r", "n2", "", "SHA-256", True, stale=True)
    first = challenge_of(
        ['Basic realm="x, y", Digest realm="a \\"b\\", c", nonce="n1", algorithm=MD5, qop="auth,auth-int"']
    )
    assert first == Challenge('a "b", c', "n1", None, "MD5", True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        'Basic realm="x"',
        "Negotiate",
        'Digest realm="x"',
        'Digest nonce="n", algorithm=UNKNOWN',
        'Digest nonce="n", qop="auth-int"',
        'Digest nonce="' + '\\"' * 10_000,
    ],
)
def test_what_cannot_be_answered_is_no_challenge(header: str) -> None:
    """Other schemes, other algorithms, and what is none."""
    assert challenge_of([header]) is None


def test_a_session_hashes_the_password_once_more() -> None:
    """`-sess` puts both nonces into it, and says so."""
    plain = answer(Challenge("r", "n", None, "MD5", True), LOGIN, "GET", "/", "c", 1)
    session = answer(Challenge("r", "n", None, "MD5-SESS", True), LOGIN, "GET", "/", "c", 1)
    assert "algorithm=MD5-sess" in session
    assert plain.partition("response=")[2][:34] != session.partition("response=")[2][:34]
