"""Filters of searches."""

from __future__ import annotations

import pytest

from sources.ldap_filter import filter_fault


@pytest.mark.parametrize(
    "text",
    [
        "(objectClass=*)",
        "(&(objectClass=person)(|(mail=*@example.com)(!(sn=)))(age>=7)(age<=9)(cn~=kari))",
        r"(cn=a\28b\29\5c)",
        "(cn=Kåre Ås*)",
        "(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=b)",
        "(ou:dn:=people)",
        "(:caseExactMatch:=x)",
        "(1.2.3;lang-no=x)",
    ],
)
def test_a_filter_has_no_fault(text: str) -> None:
    """Whatever RFC 4515 has."""
    assert filter_fault(text) is None


@pytest.mark.parametrize(
    ("text", "words", "part"),
    [
        ("", "is empty", ""),
        ("cn=a", "needs a `(` here", "c"),
        ("(cn=a", "is not whole: a `)` is missing", "(cn=a"),
        ("(&(cn=a)", "is not whole: a `)` is missing", "(&(cn=a)"),
        ("(cn=a))", "has more behind its end", ")"),
        ("(&)", "has nothing to join here", ")"),
        ("(!(a=b)(c=d))", "has `!` with other than one filter", ")"),
        ("(&(cn=a)x)", "needs a `(` here", "x"),
        ("(=a)", "needs the name of an attribute here", "="),
        ("(", "needs the name of an attribute here", ""),
        ("(cn>a)", "needs `=`, `>=`, `<=` or `~=` here", ">"),
        ("(cn=a(b)", r"has a character that is written as `\28`, `\29`, `\5c` or `\00`", "("),
        (r"(cn=a\b)", r"has a character that is written as `\28`, `\29`, `\5c` or `\00`", "\\"),
        ("(&" * 101, "goes too deep", "("),
    ],
)
def test_a_fault_is_told_at_its_characters(text: str, words: str, part: str) -> None:
    """The first one."""
    found = filter_fault(text)
    assert found is not None
    assert (found.words, text[found.start : found.end]) == (words, part)
