"""Which components name which secrets."""

from __future__ import annotations

from mailweir.listing.secrets import mentioned
from pipeline.config.text import read


def test_secrets_are_found_wherever_they_are_named() -> None:
    """In lists, in longer texts, in every alternative of a condition, at every depth; each place once."""
    first = read(
        """[
          {"_id": "a", "servers": [{"smtp_password": "$SECRET(one)"}, {"smtp_password": "$SECRET(two)"}],
           "$conditional_properties": {"condition": "$ENV(x)", "alternatives": {
             "test": {"oauth": {"token": "$SECRET(one)"}},
             "prod": {"oauth": {"token": "$SECRET(one)"}, "$conditional_properties": {
               "condition": "$ENV(y)", "alternatives": {"z": {"url": "x$SECRET(three)$ENV(four)"}}}}}}},
          {"transform": [{"rules": {"default": [["encrypt", "$SECRET(two)", "_S.a"]]}}]},
          "$SECRET(five)"
        ]""",
        "a.conf.json",
    )
    second = read('{"_id": 7, "smtp_password": "$SECRET(one) $$SECRET(six)"}', "b.conf.json")
    assert mentioned([first, second]) == {
        "one": ("a.servers.smtp_password", "a.oauth.token", "smtp_password"),
        "two": ("a.servers.smtp_password", "transform.rules.default"),
        "three": ("a.url",),
    }


def test_what_is_not_whole_has_what_can_be_read() -> None:
    """A broken file, and a condition that is none, hide nothing that stands beside them."""
    broken = read('{"_id": "a", "smtp_password": "$SECRET(one)", "$conditional_properties": 1, "tls": ', "a.conf.json")
    assert mentioned([broken, read("", "b.conf.json")]) == {"one": ("a.smtp_password",)}
