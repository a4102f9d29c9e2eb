"""Headers, files and keys of a mail sink: each fault at its characters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read

SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="


def found(properties: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Code, characters and label of every fault of a sink with these properties."""
    sink = {"type": "mail", "system": "relay", "mail_from": "post@example.com", **properties}
    components = [
        {"_id": "relay", "type": "system:smtp"},
        {"_id": "letters", "type": "pipe", "source": {"type": "empty"}, "sink": sink},
    ]
    text = json.dumps(components)
    project = compile_project([read(text.encode(), "a.conf.json")], installed(), Lookup())
    problems = [problem for problem in project.problems if problem.code != "W302"]
    return [(one.code, text[one.span.start : one.span.end], one.label) for one in problems]


RIGHT: list[dict[str, Any]] = [
    {"cc": "a@example.com, Bo <b@example.com>", "bcc_property": "hidden", "reply_to": "c@example.com"},
    {"return_path": "", "redirect_to": "me@example.com", "only_to": ["*@example.com"]},
    {"headers": {"X-Room": "{{ room }}", "List-ID": "Stock <stock.example.com>"}},
    {"list_unsubscribe": "https://example.com/off?a={{ _id }}", "one_click_unsubscribe": True},
    {"list_unsubscribe": ["mailto:off@example.com", "{{ off }}"], "one_click_unsubscribe": True},
    {"attachments": [{"file": "terms.pdf"}, {"content": "~bYQ==", "name": "a.txt"}, {"text": "a", "name": "b"}]},
    {"inline_images": [{"file": "logo.png"}, {"content": "YQ==", "cid": "dot"}]},
    {"importance": "high", "message_id_domain": "mail.example.com", "per_recipient": True, "css_inline": True},
    {"delivery": "at_most_once", "expires_after": 3600, "retry": {"first_wait": 60, "give_up_after": 3600.5}},
    {"dkim": [{"domain": "example.com", "selector": "s1", "key": SEED}]},
]


@pytest.mark.parametrize("properties", RIGHT, ids=str)
def test_what_is_right_has_no_fault(properties: dict[str, Any]) -> None:
    """Every property takes what its words say."""
    assert found(properties) == []


WRONG: list[tuple[dict[str, Any], tuple[str, str, str]]] = [
    ({"cc": "a@example.com, n/a"}, ("E501", "n/a", "no `@`")),
    ({"reply_to": "a@example.com, n/a"}, ("E501", "n/a", "no `@`")),
    ({"bcc": "a@example.com", "bcc_property": "b"}, ("E209", '"bcc_property"', "and the property that should hold it")),
    ({"return_path": "Ann <a@example.com>"}, ("E503", "Ann <a@example.com>", "a space before `@`")),
    ({"redirect_to": "a@b.example, c@d.example"}, ("E503", '"a@b.example, c@d.example"', "several")),
    ({"message_id_domain": "a b"}, ("E203", '"a b"', "a space in the domain")),
    ({"message_id_domain": "[127.0.0.1]"}, ("E203", '"[127.0.0.1]"', "not a domain name")),
    (
        {"per_recipient": True, "cc_property": "c"},
        ("E209", '"cc_property"', "who gets a copy would get one of each of these mails"),
    ),
    ({"headers": {"Bcc": "a@b.example"}}, ("E508", '"Bcc"', "this header has a property of its own: `bcc`")),
    ({"headers": {"X a": "b"}}, ("E508", '"X a"', "a header's name has letters, digits and `-` only")),
    ({"headers": {"Received": "b"}}, ("E508", '"Received"', "this header is written by Mailweir or by servers")),
    ({"headers": {"X-A": "b", "x-a": "c"}}, ("E508", '"x-a"', "this header is there twice")),
    ({"headers": {"X-A": "b\r\nBcc: c"}}, ("E508", "\\r", "a line break or control character")),
    ({"headers": {"X-A": "a {{ b | uper }}"}}, ("E402", "uper", "not a filter")),
    ({"list_unsubscribe": "example.com"}, ("E509", '"example.com"', "not a URL")),
    ({"list_unsubscribe": ["https://a.example/{{ b"]}, ("E401", "{{", "opened here")),
    ({"one_click_unsubscribe": True}, ("E509", "true", "")),
    (
        {"one_click_unsubscribe": True, "list_unsubscribe": "mailto:a@example.com"},
        ("E509", '"mailto:a@example.com"', "a POST can go to `https:` only"),
    ),
    ({"attachments": [{"name": "a"}]}, ("E204", "{", "no `file` in it")),
    ({"attachments": [{"file": "a", "text": "b"}]}, ("E209", '"text"', "and another one")),
    ({"attachments": [{"content": "%%"}]}, ("E203", '"%%"', "`content` is not base64")),
    (
        {"inline_images": [{"file": "a b.png"}]},
        ("E203", '"a b.png"', "a `cid` has letters, digits and `.-_@` only"),
    ),
    (
        {"inline_images": [{"file": "a.png"}, {"file": "b.png", "cid": "a.png"}]},
        ("E203", '"a.png"', "a second picture with this name"),
    ),
    ({"dkim": [{"domain": "exa mple", "selector": "s", "key": SEED}]}, ("E203", '"exa mple"', "not a domain")),
    (
        {"dkim": [{"domain": "example.com", "selector": "s s", "key": SEED}]},
        ("E203", '"s s"', "a selector has letters, digits, `-` and dots only"),
    ),
    (
        {"dkim": [{"domain": "example.com", "selector": "s", "key": "abc"}]},
        ("E203", '"abc"', "not a private key: it is PEM without a password, or base64"),
    ),
]


@pytest.mark.parametrize(("properties", "fault"), WRONG, ids=str)
def test_what_is_wrong_is_told_at_its_place(properties: dict[str, Any], fault: tuple[str, str, str]) -> None:
    """One fault, its code, its characters and what is said beside them."""
    assert found(properties) == [fault]
