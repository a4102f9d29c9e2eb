"""What became of mails, as entities: one for each recipient, passed on once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.running import Asked, Run
from pipeline.config.load import Options, load
from pipeline.entity import from_json
from pipeline.receipt import Report
from pipeline.state.facts import MessageState
from pipeline.state.outcomes import Settled
from sinks.mail.delivery import Standing, result_of
from sources.outcomes_read import Reader, entities_of

READER = Reader("mailer", "replies", ("reply_topic",))


def settled(state: MessageState, result: str, *to: str, detail: str = "", entity: str = "") -> Settled:
    """A message on record."""
    return Settled(7, 42, "order-1", to, state, result, detail, 1.5, entity)


def test_one_for_each_recipient() -> None:
    """Each with what its server said, as the sink has put it on record."""
    result = result_of(
        (
            Standing(MessageState.SENT, None, 1, 0, 250, "2.0.0", "queued", "mx", "dot"),
            Standing(MessageState.DEAD, None, 1, 0, 550, "5.1.1", "no such user", "mx", "rcpt"),
        )
    )
    one = settled(MessageState.SENT, result, "a@x.no", "b@x.no", entity='{"_id":"order-1","reply_topic":"R"}')
    first, second = entities_of(one, READER)
    assert (first["_id"], second["_id"]) == ("mailer:42:a@x.no", "mailer:42:b@x.no")
    assert [one["outcome"] for one in (first, second)] == ["sent", "dead"]
    assert [one["answer"] for one in (first, second)] == ["2.0.0 queued", "5.1.1 no such user"]
    assert [one["code"] for one in (first, second)] == [250, 550]
    assert {one["reply_topic"] for one in (first, second)} == {"R"}
    assert {(one["entity"], one["pipe"], one["server"]) for one in (first, second)} == {("order-1", "mailer", "mx")}


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (MessageState.REJECTED, "rejected"),
        (MessageState.DISCARDED, "discarded"),
        (MessageState.HELD, "held"),
        (MessageState.EXPIRED, "dead"),
    ],
)
def test_what_was_never_tried(state: MessageState, outcome: str) -> None:
    """It is for all recipients as for the message; one that nobody was to get has one outcome, for nobody."""
    (one,) = entities_of(settled(state, "", "a@x.no", detail="why"), READER)
    assert (one["outcome"], one["answer"], one["recipient"]) == (outcome, "why", "a@x.no")
    (one,) = entities_of(settled(state, ""), READER)
    assert (one["outcome"], one["recipient"], one["_id"]) == (outcome, None, "mailer:42")


class Place:
    """A project that mails to a folder what is published, and passes on what becomes of it."""

    def __init__(self, folder: Path, **source: object) -> None:
        """Two pipes, and who listens for replies."""
        self.folder = folder
        folder.joinpath("mailweir.json").write_text("{}")
        mailer = {
            "_id": "mailer",
            "type": "pipe",
            "source": {"type": "json", "path": "in.jsonl"},
            "sink": {
                "type": "mail",
                "system": "folder",
                "mail_from": "post@example.com",
                "subject_template": "{{ title }}",
                "text_body_template": "{{ body }}",
                "only_to": ["*@example.com"],
            },
        }
        replies = {
            "_id": "replies",
            "type": "pipe",
            "source": {"type": "outcomes", "pipe": "mailer", "properties": ["reply_topic"], **source},
            "sink": {"type": "bus", "system": "bus", "topic": "REPLIES", "topic_property": "reply_topic"},
        }
        listening = [
            {
                "_id": f"hears-{topic.lower()}",
                "type": "pipe",
                "source": {"type": "bus", "system": "bus", "topic": topic, "wait": 0.1},
                "sink": {"type": "json", "path": f"{topic}.jsonl", "mode": "append"},
            }
            for topic in ("REPLIES", "SHOP.REPLIES")
        ]
        systems = [{"_id": "folder", "type": "system:eml", "folder": "out"}, {"_id": "bus", "type": "system:bus"}]
        folder.joinpath("all.conf.json").write_text(json.dumps([*systems, mailer, replies, *listening]))

    def run(self, *pipes: str) -> list[Report]:
        """Run some, one after the other."""
        reports = []
        for pipe in pipes:
            loaded = load(self.folder, Options(here=self.folder))
            assert not loaded.project.errors
            done = asyncio.run(Run(loaded, Asked((pipe,))).go())
            assert not done.fault
            reports += done.reports
        return reports

    def mail(self, *entities: dict[str, Any]) -> None:
        """Mail these."""
        text = "".join(f"{json.dumps({'title': 'T', 'body': 'B', **one})}\n" for one in entities)
        self.folder.joinpath("in.jsonl").write_text(text)
        self.run("mailer")

    def heard(self, topic: str = "REPLIES") -> list[tuple[str, str | None, str]]:
        """Whose outcomes came, and what they say."""
        path = self.folder / f"{topic}.jsonl"
        found = [from_json(line) for line in path.read_bytes().splitlines()] if path.exists() else []
        return [(one["entity"], one["recipient"], one["outcome"]) for one in found]


def test_outcomes_are_published(tmp_path: Path) -> None:
    """To the topic that the request names, or to that of the sink; one for each recipient, once."""
    place = Place(tmp_path)
    place.mail(
        {"_id": "1", "recipients": "a@example.com, b@example.com"},
        {"_id": "2", "recipients": "c@example.com", "reply_topic": "SHOP.REPLIES"},
        {"_id": "3", "recipients": "nobody"},
        {"_id": "4", "recipients": "d@elsewhere.com"},
    )
    for _ in range(2):
        place.run("replies", "hears-replies", "hears-shop.replies")
        assert sorted(place.heard()) == [
            ("1", "a@example.com", "sent"),
            ("1", "b@example.com", "sent"),
            ("3", None, "rejected"),
            ("4", "d@elsewhere.com", "held"),
        ]
        assert place.heard("SHOP.REPLIES") == [("2", "c@example.com", "sent")]
    place.mail({"_id": "5", "recipients": "a@example.com"})
    place.run("replies", "hears-replies")
    assert place.heard()[-1] == ("5", "a@example.com", "sent")


def test_only_what_comes_later(tmp_path: Path) -> None:
    """With `"start": "new"` the first run passes nothing on of what is on record."""
    place = Place(tmp_path, start="new")
    place.mail({"_id": "1", "recipients": "a@example.com"})
    assert place.run("replies")[0].read == 0
    place.mail({"_id": "2", "recipients": "a@example.com"})
    assert place.run("replies")[0].read == 1


def test_a_pipe_that_sends_nothing(tmp_path: Path) -> None:
    """A name that is no pipe, or one of a pipe that sends no messages, is told."""
    place = Place(tmp_path, pipe="mailr")
    (report,) = place.run("replies")
    assert report.stopped == "no pipe `mailr` sends mails or text messages"
