"""What is written is what others read: random mails, read by parsers that know nothing of the writer."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.mail.letter import Attachment, Heading, Letter, Mailbox, Refusal, RefusedError
from sinks.mail.mime import Writer
from systems.smtp.content import prepare
from tests.sinks.mail import gmime_reader, strict_reader
from tests.sinks.mail.letters import Random, spoilt
from tests.sinks.mail.other_readers import as_mailparse_sees, read_by_email, read_by_mailparse, read_by_new_email
from tests.sinks.mail.seen import Seen, must_be_seen

MAILS: Final = int(os.environ.get("MAILS", "10000"))
SHARES: Final = 20
NEWER: Final = 50  # one mail of so many: this reader needs ten times as long as all others together

Read = Callable[[bytes], Seen]
See = Callable[[Seen], Seen]

readers: dict[str, tuple[Read, See]] = {
    "the strict reader": (strict_reader.read, lambda seen: seen),
    "email": (read_by_email, lambda seen: seen),
    "mailparse": (read_by_mailparse, as_mailparse_sees),
}
if gmime_reader.found():
    readers["GMime"] = (gmime_reader.read_by_gmime, gmime_reader.as_gmime_sees)

Count = Callable[[str, object], None]


def drawn(seed: int) -> tuple[Heading, Letter]:
    """The letter of this seed."""
    draw = Random(seed)
    return draw.heading(), draw.letter(seed)


def agree(content: bytes, read: Read, see: See, heading: Heading, letter: Letter) -> None:
    """The reader sees what it must see. Lists of addresses that it leaves to others are empty."""
    identity = re.search(rb"^Message-ID: <([^<>\s]+)>\r$", content, re.MULTILINE)
    assert identity
    seen = see(read(content))
    wanted = see(must_be_seen(heading, letter, identity[1].decode()))
    boxes = tuple(there if read_there else () for there, read_there in zip(wanted.boxes, seen.boxes, strict=False))
    assert seen == wanted._replace(boxes=boxes)


@pytest.mark.parametrize("share", range(SHARES))
def test_readers_see_what_was_meant(share: int, record_property: Count) -> None:
    """Header, addresses, texts and files arrive as they were, in every reader."""
    count = 0
    for seed in range(share, MAILS, SHARES):
        heading, letter = drawn(seed)
        content, _, wire = Writer(heading).write(letter)
        found = prepare(content)
        assert wire == (found.text == found.stuffed == content)
        for name, (read, see) in readers.items():
            try:
                agree(content, read, see, heading, letter)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, {name}: {error}") from error
        if not seed % NEWER:
            agree(content, read_by_new_email, lambda seen: seen, heading, letter)
        count += 1
    record_property("count", (f"random mails read alike by {', '.join(readers)}", count))


@pytest.mark.parametrize("share", range(4))
def test_a_control_character_makes_no_mail(share: int) -> None:
    """Nowhere in a header does a control character pass: it is refused, and said where it stands."""
    for seed in range(share, 2000, 4):
        heading, letter = drawn(seed)
        bad = spoilt(letter, seed)
        with pytest.raises(RefusedError) as caught:
            Writer(heading).write(bad)
        refusal = caught.value.refusal
        assert isinstance(refusal, Refusal)
        assert refusal.at.partition(".")[0] in {"to", "headers", "subject"}, (seed, refusal)


def test_the_same_letter_is_the_same_bytes() -> None:
    """A second writer, and a second letter of the same values, make the same mail."""
    for seed in range(200):
        first, second = drawn(seed), drawn(seed)
        assert first[1] is not second[1]
        assert Writer(first[0]).write(first[1]) == Writer(second[0]).write(second[1])


anything = st.text(max_size=60)


@given(
    st.builds(Mailbox, anything, st.one_of(anything, st.just("a@example.com"))),
    st.lists(st.tuples(st.one_of(anything, st.just("X-A")), anything), max_size=2).map(tuple),
    anything,
    st.one_of(st.none(), anything),
    st.one_of(st.none(), anything),
    st.lists(st.builds(Attachment, anything, st.binary(max_size=60), anything, anything), max_size=2).map(tuple),
    st.lists(anything, max_size=2).map(tuple),
)
def test_any_values_make_a_strict_mail_or_none(
    box: Mailbox,
    headers: tuple[tuple[str, str], ...],
    subject: str,
    text: str | None,
    html: str | None,
    files: tuple[Attachment, ...],
    unsubscribe: tuple[str, ...],
) -> None:
    """Whatever is put in any place, the mail is refused, or a reader without mercy reads it."""
    one = Letter("k", 0, (box,), subject, text, html, headers=headers, attachments=files)
    for each in (one, one._replace(unsubscribe=unsubscribe), one._replace(attachments=(), images=files)):
        try:
            content = Writer(Heading(Mailbox("", "post@example.com"))).write(each).content
        except RefusedError:
            continue
        seen = strict_reader.read(content)
        assert [len(boxes) for boxes in seen.boxes] == [1, 1, 0, 0]
        assert len([name for name in seen.names if name.lower() in {"bcc", "to", "from"}]) == 2
