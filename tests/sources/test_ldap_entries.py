"""Entries of a directory become entities."""

from __future__ import annotations

from pipeline.entity import datetime_of
from sources.ldap_entries import Shape

DN = "cn=Kari,dc=example"


def test_one_value_is_a_value_and_several_are_a_list() -> None:
    """All are of the types of their attributes; the name of the entry is the `_id`."""
    found = Shape(["*"]).entity(DN, {"cn": [b"Kari"], "age": [b"7"], "mail": [b"a", b"b"], "x": []}, {"age": "int"})
    assert found == {"_id": DN, "dn": DN, "cn": "Kari", "age": 7, "mail": ["a", "b"]}


def test_passwords_come_only_if_they_are_named() -> None:
    """Whatever else is read."""
    values = {"cn": [b"Kari"], "userPassword": [b"x"], "userPassword;x-old": [b"y"], "unicodePwd": [b"z"]}
    assert Shape(["*", "+"]).entity(DN, values, {}) == {"_id": DN, "dn": DN, "cn": "Kari"}
    assert Shape(["*", "unicodepwd"]).entity(DN, values, {}) == {"_id": DN, "dn": DN, "cn": "Kari", "unicodepwd": "z"}


def test_names_are_as_the_configuration_writes_them() -> None:
    """With the options that the directory adds; what is only needed for the `_id` is no property."""
    shape = Shape(["CN", "userCertificate"], ["dn"], "uid", "modifyTimestamp")
    assert shape.wanted == ("CN", "userCertificate", "uid", "modifyTimestamp")
    values = {"cn": [b"A"], "userCertificate;binary": [b"\0"], "UID": [b"a"], "modifyTimestamp": [b"20260102030405Z"]}
    assert shape.entity(DN, values, {}) == {"_id": "a", "CN": "A", "userCertificate;binary": b"\0"}
    assert shape.changed(values) == datetime_of("2026-01-02T03:04:05Z")
    assert shape.changed({"modifyTimestamp": [b"x"]}) is None
    assert shape.changed({}) is None


def test_what_is_on_the_blacklist_does_not_come() -> None:
    """With any options."""
    shape = Shape(["*"], ["photo", "DN"])
    assert shape.entity(DN, {"Photo;x-a": [b"x"], "cn": [b"A"]}, {}) == {"_id": DN, "cn": "A"}


def test_an_id_is_one_value() -> None:
    """Bytes are written as digits, and identifiers of Active Directory as it shows them."""
    guid = bytes.fromhex("33221100554477668899aabbccddeeff")
    found = Shape(["cn"], key="objectGUID").entity(DN, {"objectGUID": [guid]}, {})
    assert found == {"_id": "00112233-4455-6677-8899-aabbccddeeff", "dn": DN}
    found = Shape(["cn"], key="objectSid").entity(DN, {"objectSid": [b"\1\2"]}, {})
    assert found == {"_id": "0102", "dn": DN}
    for several in ([], [b"a", b"b"], [b""]):
        assert Shape(["*"], key="uid").entity(DN, {"uid": several}, {}) is None
