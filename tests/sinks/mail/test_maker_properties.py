"""Whatever an entity holds, its mails are whole or rejected: nothing raises, nothing is told in a header."""

from __future__ import annotations

from email import message_from_bytes
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.state.facts import MessageState
from tests.sinks.mail.making import AT, maker

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["a@example.com", "{{ a }}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = ("to", "cc", "hidden", "answers", "from", "subject", "body", "text", "files", "pictures", "room", "off")
ENTITIES = st.fixed_dictionaries({"_id": st.text()}, optional=dict.fromkeys(NAMES, VALUES)) | st.fixed_dictionaries(
    {
        "_id": st.text(),
        "to": st.just("a@example.com"),
        "subject": st.text(),
        "body": st.text(),
        "room": st.text(),
        "off": st.text(),
    },
    optional=dict.fromkeys(("cc", "hidden", "answers", "from", "text", "files", "pictures"), VALUES),
)
SINK = maker(
    recipients_property="to",
    cc_property="cc",
    bcc_property="hidden",
    reply_to_property="answers",
    mail_from_property="from",
    subject_template="{{ subject }}",
    body_template=None,
    body_template_property="body",
    text_body_template_property="text",
    attachments_property="files",
    inline_images_property="pictures",
    headers={"X-Room": "{{ room }}"},
    list_unsubscribe="https://example.com/{{ off | urlencode }}",
)
FIELDS = {
    "content-transfer-encoding",
    "content-type",
    "auto-submitted",
    "cc",
    "date",
    "from",
    "list-unsubscribe",
    "message-id",
    "mime-version",
    "reply-to",
    "subject",
    "to",
    "x-room",
}


@given(ENTITIES)
def test_every_entity_has_one_end(entity: dict[str, Any]) -> None:
    """A mail with no header but the intended ones and hidden recipients hidden, or a code and a reason."""
    before = repr(entity)
    (made,) = SINK.make(entity, AT)
    assert repr(entity) == before
    assert SINK.keys(entity)[0][0] == made.new.entity_id
    for text in (made.new.entity, made.new.subject, made.new.detail):
        text.encode()
    if made.message is None:
        assert made.problem is not None
        assert made.new.state is MessageState.REJECTED
        return
    head = message_from_bytes(made.message.content)
    assert {name.lower() for name in head.keys()} <= FIELDS  # noqa: SIM118 - a message is no dict
    assert made.message.envelope.recipients
    assert SINK.make(entity, AT)[0] == made
