"""Entities become text messages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.state.facts import MessageState
from sinks.mail.maker import Made
from sinks.mail.people import Guards
from sinks.sms.config import SmsConfig
from sinks.sms.maker import SmsMaker
from sinks.sms.settings import sms_settings
from systems.sms import text_of

NOW = 1_800_000_000.0


def maker(root: str = "/nowhere", guards: Guards | None = None, **properties: Any) -> SmsMaker:
    """That of a sink with these properties."""
    usual = {"type": "sms", "system": "sms", "from_number": "+47 66554433", "body_template": "Hi {{ name }}"}
    declared = {name: value for name, value in {**usual, **properties}.items() if value is not None}
    return SmsMaker(sms_settings(SmsConfig.model_validate(declared), root, guards or Guards()), "greet", "run1")


def made(entity: dict[str, Any], **properties: Any) -> Sequence[Made]:
    """The messages of an entity."""
    return maker(**properties).make(entity, NOW)


KARI = {"_id": "1", "name": "Kari", "recipients": "+47 998 87 766"}


def test_each_number_gets_a_message_of_its_own() -> None:
    """So that one that is refused, or in doubt, touches no other; a number that is named twice gets one."""
    found = made({**KARI, "recipients": ["+4799887766", "+4711223344, +47 99887766"]})
    assert [one.new.recipients for one in found] == [("+4799887766",), ("+4711223344",)]
    assert len({one.new.key for one in found}) == 2
    for one in found:
        assert one.message is not None
        assert (one.message.envelope.sender, one.message.envelope.recipients) == ("+4766554433", one.new.recipients)
        assert text_of(one.message.content) == "Hi Kari"
        assert one.message.content == one.new.content
        assert (one.new.subject, one.new.state) == ("Hi Kari", MessageState.QUEUED)


def test_fixed_numbers_get_every_message() -> None:
    """Whatever the entity holds."""
    found = made(KARI, recipients="+4711223344;+4722334455")
    assert [one.new.recipients for one in found] == [("+4711223344",), ("+4722334455",)]


def test_the_same_entity_makes_the_same_keys_and_bytes() -> None:
    """That is what keeps a message from being sent twice; another version of it is another message."""
    first, again, other = made(KARI), made(KARI), made({**KARI, "name": "Ola"})
    assert first == again
    assert first[0].new.key != other[0].new.key
    assert list(maker().keys(KARI)) == [("1", first[0].new.key)]


@pytest.mark.parametrize(
    ("entity", "code", "words"),
    [
        ({"_id": "1", "name": "Kari"}, "E502", "the entity has no `recipients`"),
        ({**KARI, "recipients": " "}, "E502", "`recipients` is empty"),
        ({**KARI, "recipients": None}, "E502", "`recipients` is empty"),
        ({**KARI, "recipients": 4799887766}, "E502", "a number is a text"),
        ({**KARI, "recipients": ["+4799887766", "99887766"]}, "E502", '"99887766": the code of the country is missing'),
        ({**KARI, "recipients": [f"+479{number:07}" for number in range(1001)]}, "E502", "more than 1000 recipients"),
        ({"_id": "1", "recipients": "+4799887766"}, "E408", "name"),
        ({**KARI, "name": None}, "E408", "`name` is null"),
        ({"name": "Kari"}, "E507", "the entity has no `_id`"),
    ],
)
def test_whatever_is_wrong_with_an_entity_rejects_its_message(entity: dict[str, Any], code: str, words: str) -> None:
    """With a code and words; nothing of it goes to anybody."""
    (one,) = made(entity)
    assert one.problem is not None
    assert one.problem.code == code
    assert words in one.new.detail
    assert (one.message, one.new.state) == (None, MessageState.REJECTED)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), (" \n ", "is empty"), ("x" * 1601, "1,601 characters"), ("a\x00b", "U+0000")],
)
def test_a_text_is_neither_empty_nor_too_long(text: str, words: str) -> None:
    """E510 says which."""
    (one,) = made({**KARI, "text": text}, body_template="{{ text }}")
    assert one.problem is not None
    assert one.problem.code == "E510"
    assert words in one.new.detail


def test_texts_are_not_escaped() -> None:
    """A text message is no HTML, even if it looks like some."""
    (one,) = made({**KARI, "name": "<b>Kåre & co</b>"}, body_template="<p>{{ name }}</p>")
    assert one.message is not None
    assert text_of(one.message.content) == "<p><b>Kåre & co</b></p>"


def test_an_entity_can_bring_its_template(tmp_path: Path) -> None:
    """As a text, or as the name of a file."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "bye.txt").write_text("Bye {{ name }}")
    (one,) = made({**KARI, "body_template": "Yo {{ name }}"}, body_template=None)
    (two,) = made(
        {**KARI, "file": "bye.txt"}, body_template=None, body_template_file_property="file", root=str(tmp_path)
    )
    (three,) = made(KARI, body_template=None, body_template_file="bye.txt", root=str(tmp_path))
    assert [text_of(one.new.content), text_of(two.new.content), text_of(three.new.content)] == [
        "Yo Kari",
        "Bye Kari",
        "Bye Kari",
    ]
    (none,) = made(KARI, body_template=None)
    assert none.problem is not None
    assert none.problem.code == "E414"


@pytest.mark.parametrize("mark", [{"_deleted": True}, {"_filtered": True}])
def test_what_is_deleted_or_filtered_gets_no_message(mark: dict[str, Any]) -> None:
    """Unless deleted entities are wanted."""
    assert list(made({**KARI, **mark})) == []
    assert list(maker().keys({**KARI, **mark})) == []
    assert len(made({**KARI, "_deleted": True}, skip_deleted=False)) == 1


def test_messages_to_others_than_those_who_may_get_them_are_held() -> None:
    """Nothing of them is sent."""
    inside, outside = made({**KARI, "recipients": "+4799887766,+4699887766"}, only_to=("+47*",))
    assert inside.message is not None
    assert (outside.message, outside.new.state) == (None, MessageState.HELD)


def test_a_project_that_is_tried_out_sends_all_to_one_number() -> None:
    """Who they were for stands before the text; they are other messages than those."""
    (one,) = made(KARI, redirect_to="+4711223344")
    assert one.new.recipients == ("+4711223344",)
    assert text_of(one.new.content) == "[to +4799887766] Hi Kari"
    assert one.new.key != made(KARI)[0].new.key


def test_a_run_that_sends_all_to_an_address_holds_text_messages() -> None:
    """They must not go to those they are for."""
    (one,) = made(KARI, guards=Guards(redirect_to="me@example.com"))
    assert (one.message, one.new.state) == (None, MessageState.HELD)
