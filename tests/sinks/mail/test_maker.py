"""An entity becomes the mail that is admitted, or is rejected with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.state.facts import MessageState
from pipeline.state.keys import entity_version, message_key
from sinks.mail.outbound import restored
from sinks.mail.people import Guards
from tests.sinks.mail.making import ANN, AT, mail, maker, one, why


def test_an_entity_becomes_a_mail() -> None:
    """Envelope, header and body are made of the sink and the entity, and the mail to admit says the same."""
    made = one(maker(), ANN)
    parsed = mail(made)
    assert parsed["From"] == "Example <post@example.com>"
    assert parsed["To"] == "ann@example.org"
    assert parsed["Subject"] == "Hello Ann"
    assert parsed["Date"].datetime.timestamp() == AT
    assert parsed.get_content().splitlines() == ["Dear Ann,", "", "welcome."]
    new = made.new
    assert made.message is not None
    assert new.state is MessageState.QUEUED
    assert (new.pipe, new.system, new.entity_id, new.run) == ("welcome", "office", "c1", "run-1")
    assert (new.recipients, new.subject) == (("ann@example.org",), "Hello Ann")
    assert new.content == made.message.content
    assert restored(new.envelope) == made.message.envelope
    assert json.loads(new.entity) == ANN
    assert made.message.key == new.key


def test_a_key_is_of_pipe_entity_version_and_recipients() -> None:
    """What the engine notes in an entity makes no other mail, another recipient does; `keys` tells it beforehand."""
    made = one(maker(), ANN | {"_updated": 7})
    assert made.new.key == message_key("welcome", "c1", entity_version(ANN), ["ann@example.org"])
    assert maker().keys(ANN) == (("c1", made.new.key),)
    assert one(maker(), ANN | {"email": "bo@example.org"}).new.key != made.new.key
    assert one(maker(), ANN | {"name": "Anna"}).new.key != made.new.key


def test_a_mail_sent_once_more_is_another_one() -> None:
    """It has a name and a Message-ID of its own."""
    first = one(maker(), ANN)
    again = one(maker(), ANN, generations={first.new.key: 2})
    assert first.message is not None
    assert again.message is not None
    assert (again.new.key, again.new.generation, again.message.key) == (first.new.key, 2, f"{first.new.key}.2")
    assert mail(first)["Message-ID"] != mail(again)["Message-ID"]


@pytest.mark.parametrize("mark", ["_deleted", "_filtered"])
def test_deleted_and_filtered_entities_are_left_alone(mark: str) -> None:
    """They become no mail, and deleted ones do where the sink says so."""
    assert maker().make(ANN | {mark: True}, AT) == ()
    assert maker().keys(ANN | {mark: True}) == ()
    assert one(maker(), ANN | {mark: False}).message
    assert len(maker(skip_deleted=False).make(ANN | {mark: True}, AT)) == (mark == "_deleted")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (..., "no recipient: the entity has no `email`"),
        (None, "no recipient: `email` is null"),
        ("", "no recipient: `email` is empty"),
        ([], "no recipient: `email` is empty"),
        (7, '`email` is "7": not a text'),
        ({}, '`email` is "{…}": an object without `address`'),
        ([["a@example.org"]], '`email` is "[…]": a list within a list'),
        ("n/a", '`email` is "n/a": no `@`'),
        ("ann@example.org, n/a", '`email` is "n/a": no `@`'),
        ("ann@example.org\r\nBcc: bo@example.org", "a line break or control character"),
        ("user@good.test(x)evil.test", "not a domain name"),
        ("a@b@example.org", "two `@`"),
        ("team: a@example.org;", "a group"),
    ],
)
def test_whom_nobody_can_reach_is_rejected(value: object, words: str) -> None:
    """A rejected mail says what stood in the entity and why that is no recipient; nothing of it is sent."""
    entity = {name: held for name, held in ANN.items() if name != "email"}
    made = one(maker(), entity if value is ... else entity | {"email": value})
    code, told = why(made)
    assert code == "E502"
    assert words in told
    assert made.new.state is MessageState.REJECTED
    assert made.new.detail == f"E502 {told}"
    assert made.new.content == b""


def test_a_recipient_is_named_once() -> None:
    """Two spellings of a domain are one recipient."""
    made = one(maker(), ANN | {"email": ["Ann <ann@example.org>", "ann@EXAMPLE.org"]})
    assert made.new.recipients == ("ann@example.org",)


def test_fixed_recipients_get_every_mail() -> None:
    """What entities hold plays no part then."""
    sink = maker(recipients="a@example.org, Bo <b@example.org>", recipients_property=None)
    assert one(sink, ANN).new.recipients == ("a@example.org", "b@example.org")


def test_an_entity_brings_what_the_sink_does_not_name() -> None:
    """Without a word in the sink the properties are `recipients`, `subject_template`, `body_template` and so on."""
    sink = maker(recipients_property=None, subject_template=None, body_template=None)
    entity = {
        "_id": "c1",
        "recipients": "ann@example.org",
        "subject_template": "Dear {{ _id }}",
        "body_template": "<p>{{ _id }}</p>",
        "text_body_template": "Only {{ _id }}",
    }
    parsed = mail(one(sink, entity))
    assert parsed["Subject"] == "Dear c1"
    assert [part.get_content().strip() for part in parsed.iter_parts()] == ["Only c1", "<p>c1</p>"]
    entity.pop("text_body_template")
    assert [part.get_content().strip() for part in mail(one(sink, entity)).iter_parts()] == ["c1", "<p>c1</p>"]


@pytest.mark.parametrize(
    ("entity", "code", "words"),
    [
        ({"body_template": "x"}, "E414", "no template for a subject: the entity has no `subject_template`"),
        ({"subject_template": "x"}, "E414", "no template for a body: the entity has no `body_template`"),
        ({"subject_template": None, "body_template": "x"}, "E414", "`subject_template` is null"),
        ({"subject_template": "x", "body_template": 7}, "E414", "`body_template` is not the text of a template"),
        ({"subject_template": "x", "body_template": "{% for %}"}, "E401", "is never closed"),
        ({"subject_template": "x", "body_template": "{{ gone }}"}, "E408", "`gone`"),
        ({"subject_template": "x", "body_template": "{{ _id / 0 }}"}, "E409", "`/` needs two numbers"),
        ({"subject_template": "{{ a }}", "a": "x\r\nBcc: b@example.org", "body_template": "x"}, "E412", "`a` brings"),
        ({"subject_template": "x" * 2001, "body_template": "x"}, "E412", "more than 2000 characters"),
    ],
)
def test_templates_that_fail_reject_the_mail(entity: dict[str, Any], code: str, words: str) -> None:
    """Whatever a template or its absence does to one mail, there is a code and a reason, and a state to show it."""
    sink = maker(recipients_property=None, subject_template=None, body_template=None)
    made = one(sink, {"_id": "c1", "recipients": "ann@example.org", **entity})
    found, told = why(made)
    assert (found, words in told) == (code, True), told
    assert made.new.recipients == ("ann@example.org",)


def test_a_mail_that_is_sent_elsewhere_says_to_whom_it_was() -> None:
    """The first recipients stand in a header and in the subject, and it is another mail than the real one."""
    entity = ANN | {"email": ["ann@example.org", "bo@example.org"]}
    made = one(maker(guards=Guards(redirect_to="me@example.com")), entity)
    parsed = mail(made)
    assert made.new.recipients == ("me@example.com",)
    assert parsed["To"] == "me@example.com"
    assert parsed["Subject"] == "[to ann@example.org and 1 more] Hello Ann"
    assert parsed["X-Original-To"] == "ann@example.org, bo@example.org"
    assert made.new.key != one(maker(), entity).new.key


def test_mail_to_strangers_is_held() -> None:
    """One recipient outside of those that the guards let pass holds the whole mail, which is kept for a person."""
    guarded = maker(guards=Guards(only_to=("*@EXAMPLE.com", "ann@*")))
    assert one(guarded, ANN).message
    made = one(guarded, ANN | {"email": ["ann@example.org", "bo@example.org"]})
    assert made.message is None
    assert made.new.state is MessageState.HELD
    assert made.new.detail == "not among those who may get mail: bo@example.org"
    assert made.new.content


@pytest.mark.parametrize(
    "entity",
    [
        {"email": "ann@example.org"},
        [],
        "text",
        {"_id": "deep", "a": json.loads("[" * 900 + "]" * 900)},
        {"_id": "c1", "email": "ann@example.org", "name": "\ud800\x00", "b": float("nan")},
        {"_id": 7, "email": "ann@example.org", "name": ""},
    ],
)
def test_no_data_stops_the_maker(entity: Any) -> None:
    """Whatever an entity holds, there is one mail or one reason, and texts that a state can keep."""
    made = one(maker(), entity)
    assert (made.message is None) == (made.problem is not None)
    for text in (made.new.entity, made.new.subject, made.new.detail, made.new.entity_id):
        text.encode()
