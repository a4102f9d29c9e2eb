"""Handing on what is queued: everything that is due goes once, and what becomes of it is on record."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from systems.file_names import own_name
from systems.mail import DeliveryReports, Message, Phase, Reason, Status, SystemFault, Trouble
from systems.spool.drain import Drain
from systems.spool.lines import RecordError
from systems.spool.locks import HeldError
from systems.spool.policy import Policy
from systems.spool.round import Round

Make = Callable[..., Message]


def work(drain: Drain) -> Round:
    """Everything that is due, as one process does it."""
    drain.open()
    try:
        return asyncio.run(drain.all_due())
    finally:
        drain.close()


def standing(yard: Any, message: Message) -> list[str]:
    """Where the recipients of a queued message stand."""
    entry = yard.store().entry(own_name(message), lock=False)
    entry.close()
    return [one.standing.value for one in entry.queued.recipients]


def left(yard: Any) -> list[str]:
    """The keys of what is still queued."""
    found = []
    for name in yard.store().names():
        entry = yard.store().entry(name, lock=False)
        entry.close()
        found.append(entry.queued.key)
    return sorted(found)


@pytest.mark.parametrize("depth", [1, 3, 100])
def test_everything_that_is_queued_goes_once(yard: Any, mail: Make, serving: Any, depth: int) -> None:
    """Byte for byte, the first in first, whatever the system behind has on its way at once."""
    messages = []
    for number in range(20):
        messages.append(mail(f"{number}@example.org", key=str(number), content=b"%d" % number))
        yard.put(messages[-1])
        yard.runs(1)
    server = serving(depth=depth)
    found = work(yard.drain(server))
    assert server.messages == messages
    assert found.answers == {Status.ACCEPTED: 20}
    assert (found.blocked, found.dead, found.damaged) == (False, 0, 0)
    assert left(yard) == []
    assert [*(yard.folder / "new").iterdir()] == []
    assert work(yard.drain(server)).answers == {}


def test_the_envelope_goes_as_it_came(yard: Any, mail: Make, serving: Any) -> None:
    """With all that it asks for."""
    message = mail("b@example.org", reports=DeliveryReports(("DELAY",), "HDRS", "id", ("old@example.org",)))
    yard.put(message)
    server = serving()
    work(yard.drain(server))
    assert server.messages == [message]


def test_only_those_who_do_not_have_it_get_it_again(yard: Any, mail: Make, serving: Any) -> None:
    """Each recipient is settled alone: one has it, one is refused, one is tried until it is taken."""
    message = mail("has@example.org", "not@example.org", "late@example.org")
    yard.put(message)
    tries: Counter[str] = Counter()

    def say(_: Message, recipient: str) -> Status:
        tries[recipient] += 1
        if recipient.startswith("late"):
            return Status.TEMPORARY if tries[recipient] < 3 else Status.ACCEPTED
        return Status.ACCEPTED if recipient.startswith("has") else Status.PERMANENT

    server = serving(say)
    assert work(yard.drain(server)).answers == {Status.ACCEPTED: 1, Status.PERMANENT: 1, Status.TEMPORARY: 1}
    assert standing(yard, message) == ["accepted", "refused", "waiting"]
    assert work(yard.drain(server)).answers == {}
    yard.runs(301)
    assert work(yard.drain(server)).answers == {Status.TEMPORARY: 1}
    yard.runs(301)
    assert work(yard.drain(server)).answers == {}
    yard.runs(300)
    found = work(yard.drain(server))
    assert (found.answers, found.dead) == ({Status.ACCEPTED: 1}, 1)
    assert tries == {"has@example.org": 1, "not@example.org": 1, "late@example.org": 3}
    assert left(yard) == []
    (name,) = yard.store().buried()
    assert yard.store().rejected(name).reasons == {"not@example.org": "550 5.1.1 no such user"}


def test_a_message_whose_tries_are_used_up_is_kept_with_the_reason(yard: Any, mail: Make, serving: Any) -> None:
    """As many as the policy has, and no more."""
    yard.put(mail())
    server = serving(lambda _m, _r: Status.TEMPORARY)
    policy = Policy(max_tries=3)
    dead = 0
    for _ in range(5):
        dead += work(yard.drain(server, policy=policy)).dead
        yard.runs(4000)
    assert (len(server.messages), dead) == (3, 1)
    (name,) = yard.store().buried()
    assert yard.store().rejected(name).reasons == {"b@example.org": "given up after 3 tries: 450 4.2.0 come back later"}


@pytest.mark.parametrize(("delivery", "times"), [("at_least_once", 4), ("at_most_once", 1)])
def test_what_is_in_doubt(
    yard: Any, mail: Make, serving: Any, caplog: pytest.LogCaptureFixture, delivery: Any, times: int
) -> None:
    """It is sent again after a minute, three times and each time with a warning, or never; then it is kept."""
    yard.put(mail())
    server = serving(lambda _m, _r: Status.IN_DOUBT)
    policy = Policy(delivery=delivery)
    work(yard.drain(server, policy=policy))
    yard.runs(59)
    work(yard.drain(server, policy=policy))
    assert len(server.messages) == 1
    for _ in range(20):
        yard.runs(601)
        work(yard.drain(server, policy=policy))
    assert len(server.messages) == times
    assert standing(yard, mail()) == ["in_doubt"]
    again = [one.getMessage() for one in caplog.records if "sent again" in one.getMessage()]
    assert again == [f"k: in doubt, sent again ({number} of 3)" for number in range(1, times)]


def test_what_is_in_doubt_and_then_taken_is_over(yard: Any, mail: Make, serving: Any) -> None:
    """The second answer is the one that counts."""
    yard.put(mail())
    said = iter([Status.IN_DOUBT, Status.ACCEPTED])
    server = serving(lambda _m, _r: next(said))
    work(yard.drain(server))
    yard.runs(80)
    work(yard.drain(server))
    assert (left(yard), len(server.messages)) == ([], 2)


def test_a_hand_over_whose_process_died_is_in_doubt(yard: Any, mail: Make, serving: Any) -> None:
    """The next process puts that on record and waits before it sends again; nothing is silently repeated."""
    yard.put(mail())
    entry = yard.store().entry(own_name(mail()))
    entry.hand({"what": "handed", "at": yard.now // 10**6, "to": [0]})
    entry.close()
    server = serving()
    yard.runs(1)
    assert work(yard.drain(server)).answers == {}
    assert standing(yard, mail()) == ["in_doubt"]
    yard.runs(80)
    assert work(yard.drain(server)).answers == {Status.ACCEPTED: 1}


def test_a_message_that_was_not_tried_is_not_charged(yard: Any, mail: Make, serving: Any) -> None:
    """However often; it goes when the system works again."""
    yard.put(mail())
    works = False

    def say(_: Message, __: str) -> Status:
        return Status.ACCEPTED if works else Status.NOT_TRIED

    server = serving(say)
    policy = Policy(max_tries=1, give_up_after=1)
    for _ in range(50):
        found = work(yard.drain(server, policy=policy))
        assert (found.answers, found.progress) == ({Status.NOT_TRIED: 1}, False)
        yard.runs(3600)
    works = True
    assert work(yard.drain(server, policy=policy)).answers == {Status.ACCEPTED: 1}


def test_one_that_is_never_tried_does_not_stop_the_others(yard: Any, mail: Make, serving: Any) -> None:
    """All others go, and the work ends."""
    yard.put(*[mail(key=str(number)) for number in range(10)])
    server = serving(lambda message, _: Status.NOT_TRIED if message.key == "3" else Status.ACCEPTED)
    found = work(yard.drain(server))
    assert found.answers[Status.ACCEPTED] == 9
    assert left(yard) == ["3"]


def test_a_system_in_trouble_gets_nothing(yard: Any, mail: Make, serving: Any) -> None:
    """What it has to say is told, and everything stays queued."""
    yard.put(mail())
    trouble = Trouble("mx", SystemFault(Phase.BEFORE, Reason.UNREACHABLE, "nobody answers"), 30.0)
    server = serving(trouble=trouble)
    found = work(yard.drain(server))
    assert (found.trouble, found.answers, found.blocked) == (trouble, {}, True)
    assert left(yard) == ["k"]


def test_the_limit_of_the_system_behind_holds(yard: Any, mail: Make, serving: Any) -> None:
    """Exactly as many go in an hour, over several processes; the rest waits and goes when places free."""
    yard.put(*[mail("b@example.org", "c@example.org", key=str(number)) for number in range(8)])
    server = serving(depth=3)
    found = work(yard.drain(server, limit=5))
    assert found.full is not None
    assert (found.full.limit, found.blocked, len(server.messages)) == (5, True, 5)
    yard.runs(3599)
    assert work(yard.drain(server, limit=5)).answers == {}
    yard.runs(1)
    assert work(yard.drain(server, limit=5)).answers == {Status.ACCEPTED: 6}
    assert left(yard) == []


def test_the_limit_can_count_recipients(yard: Any, mail: Make, serving: Any) -> None:
    """A message to three takes three places; those that were refused are given back."""
    yard.put(mail("1@example.org", "2@example.org", "3@example.org", key="a"))
    yard.runs(1)
    yard.put(mail("4@example.org", "5@example.org", key="b"))
    server = serving(lambda _, one: Status.PERMANENT if one == "2@example.org" else Status.ACCEPTED)
    work(yard.drain(server, limit=4, count_by="recipient"))
    assert [message.key for message in server.messages] == ["a", "b"]
    yard.put(mail("6@example.org", key="c"))
    assert work(yard.drain(server, limit=4, count_by="recipient")).full is not None


def test_a_limit_of_nothing_sends_nothing(yard: Any, mail: Make, serving: Any) -> None:
    """And says so."""
    yard.put(mail())
    server = serving()
    found = work(yard.drain(server, limit=0))
    assert found.full is not None
    assert (found.full.never, server.messages) == (True, [])


def test_each_recipient_can_have_a_return_path(yard: Any, mail: Make, serving: Any) -> None:
    """A message to several goes to each apart, with keys of their own, and each is settled alone."""
    message = mail("kari@example.org", "ola@example.org", "per@example.org", sender="news@example.com")
    yard.put(message)
    server = serving(lambda _, one: Status.TEMPORARY if one == "ola@example.org" else Status.ACCEPTED, depth=2)
    assert work(yard.drain(server, verp=True)).answers == {Status.ACCEPTED: 2, Status.TEMPORARY: 1}
    assert [(one.key, one.envelope.sender, one.envelope.recipients) for one in server.messages] == [
        ("k#1", "news+kari=example.org@example.com", ("kari@example.org",)),
        ("k#2", "news+ola=example.org@example.com", ("ola@example.org",)),
        ("k#3", "news+per=example.org@example.com", ("per@example.org",)),
    ]
    assert {one.content for one in server.messages} == {message.content}
    assert standing(yard, message) == ["accepted", "waiting", "accepted"]
    server.say = lambda _m, _r: Status.ACCEPTED
    yard.runs(300)
    work(yard.drain(server, verp=True))
    assert server.messages[-1].key == "k#2"
    assert left(yard) == []


def test_return_paths_stop_at_the_limit_and_go_on(yard: Any, mail: Make, serving: Any) -> None:
    """Each of them is a message to the server."""
    people = [f"{number}@example.org" for number in range(5)]
    yard.put(mail(*people))
    server = serving()
    assert work(yard.drain(server, verp=True, limit=3)).full is not None
    assert standing(yard, mail(*people)) == ["accepted"] * 3 + ["waiting"] * 2
    yard.runs(3601)
    work(yard.drain(server, verp=True, limit=3))
    assert sorted(one for _, one in server.log) == people


def test_a_report_has_no_return_path_of_its_own(yard: Any, mail: Make, serving: Any) -> None:
    """The null sender stays the null sender, and the message one message."""
    yard.put(mail("b@example.org", "c@example.org", sender=""))
    server = serving()
    work(yard.drain(server, verp=True))
    assert [(one.key, one.envelope.sender, len(one.envelope.recipients)) for one in server.messages] == [("k", "", 2)]


def test_the_server_can_be_asked_for_return_paths(yard: Any, mail: Make, serving: Any) -> None:
    """XVERP goes with the envelope; the sender stays as it is."""
    yard.put(mail())
    server = serving()
    work(yard.drain(server, xverp=True))
    assert [(one.envelope.xverp, one.envelope.sender) for one in server.messages] == [(True, "a@example.com")]


def test_messages_of_one_key_go_one_after_the_other(yard: Any, mail: Make, serving: Any) -> None:
    """They are two messages, and their answers must not be mixed up."""
    yard.put(mail("b@example.org"), mail("c@example.org"))
    server = serving(depth=10)
    work(yard.drain(server))
    assert sorted(server.log) == [("k", "b@example.org"), ("k", "c@example.org")]
    assert left(yard) == []


def test_what_cannot_be_read_is_told_once_and_the_others_go(
    yard: Any, mail: Make, serving: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays where it is, for a person."""
    yard.put(*[mail(key=str(number)) for number in range(4)])
    damaged = own_name(mail(key="1"))
    (yard.folder / "new" / damaged).write_bytes(b"other")
    edited = yard.folder / "record" / own_name(mail(key="2"))
    edited.write_bytes(edited.read_bytes().replace(b"b@example.org", b"x@example.org"))
    (yard.folder / "record" / ("f" * 32)).symlink_to("/etc/passwd")
    server = serving()
    drain = yard.drain(server)
    drain.open()
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            assert asyncio.run(drain.all_due()).damaged == 3
    drain.close()
    assert sorted(message.key for message in server.messages) == ["0", "3"]
    assert sorted(one.getMessage().partition(" is not sent: ")[2] for one in caplog.records) == [
        "it cannot be opened: too many levels of symbolic links",
        "its content is not as it was written",
        "line 1 is not as it was written",
    ]
    with pytest.raises(RecordError):
        yard.store().entry(edited.name)


def test_a_message_that_somebody_else_works_on_is_left_alone(yard: Any, mail: Make, serving: Any) -> None:
    """It goes when that one has let go of it."""
    yard.put(mail())
    entry = yard.store().entry(own_name(mail()))
    server = serving()
    assert work(yard.drain(server)).answers == {}
    entry.close()
    assert work(yard.drain(server)).answers == {Status.ACCEPTED: 1}


def test_only_one_process_hands_on(yard: Any, serving: Any) -> None:
    """The second is told, and the first goes on."""
    yard.store()
    first, second = yard.drain(serving()), yard.drain(serving())
    first.open()
    with pytest.raises(HeldError):
        second.open()
    assert (first.is_open, second.is_open) == (True, False)
    first.close()
    second.open()
    second.close()


def test_it_stops_when_it_is_told_to(yard: Any, mail: Make, serving: Any) -> None:
    """What was taken is answered, and nothing more is taken."""
    yard.put(*[mail(key=str(number)) for number in range(10)])
    server = serving()
    drain = yard.drain(server)
    drain.open()
    found = asyncio.run(drain.all_due(lambda: len(server.messages) < 4))
    drain.close()
    assert found.answers == {Status.ACCEPTED: 4}
    assert len(left(yard)) == 6


def test_it_is_on_record_before_it_goes(yard: Any, mail: Make, serving: Any) -> None:
    """When the system behind is about to give away the last byte, the record says so."""
    yard.put(mail("b@example.org", "c@example.org"))
    seen: list[list[str]] = []

    class Watching(serving):  # type: ignore[misc]
        """Looks at the record after it was told that a message may go."""

        async def send(self, messages: Any, handing_over: Any) -> Any:
            def watched(group: Any) -> None:
                seen.append(standing(yard, group[0]))
                handing_over(group)
                seen.append(standing(yard, group[0]))

            async for group in super().send(messages, watched):
                yield group

    work(yard.drain(Watching()))
    assert seen == [["waiting", "waiting"], ["handed", "handed"]]


@pytest.mark.parametrize("fault", [RuntimeError("a fault of its own"), OSError(5, "I/O error")])
def test_a_system_that_fails_in_the_middle(yard: Any, mail: Make, serving: Any, fault: Exception) -> None:
    """What was handed over is in doubt, what was not stays queued, and no lock or place is held any more."""
    yard.put(*[mail(key=str(number)) for number in range(5)])

    class Failing(serving):  # type: ignore[misc]
        """Takes three, hands over two, and fails."""

        async def send(self, messages: Any, handing_over: Any) -> Any:
            waiting = iter(messages)
            taken = [next(waiting) for _ in range(3)]
            handing_over(taken[:2])
            yield []
            raise fault

    drain = yard.drain(Failing(), limit=5)
    drain.open()
    if isinstance(fault, OSError):
        assert asyncio.run(drain.round()).refusal == "i/o error"
    else:
        with pytest.raises(RuntimeError):
            asyncio.run(drain.round())
    drain.close()
    found = Counter(standing(yard, message)[0] for message in (mail(key=str(number)) for number in range(5)))
    assert found == {"in_doubt": 2, "waiting": 3}
    server = serving()
    assert work(yard.drain(server, limit=5)).answers == {Status.ACCEPTED: 3}
    yard.runs(80)
    # The two that may have been taken hold their places for an hour.
    assert work(yard.drain(server, limit=5)).full is not None


def test_a_cancelled_round_leaves_nothing_behind(yard: Any, mail: Make, serving: Any) -> None:
    """What was handed over is in doubt; every lock is free."""
    yard.put(mail(key="0"), mail(key="1"))

    class Hanging(serving):  # type: ignore[misc]
        """Hands over one and never answers."""

        async def send(self, messages: Any, handing_over: Any) -> Any:
            handing_over([next(iter(messages))])
            hanging.set()
            await asyncio.Event().wait()
            yield []

    async def cancel() -> None:
        task = asyncio.create_task(drain.round())
        await hanging.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    hanging = asyncio.Event()
    drain = yard.drain(Hanging())
    drain.open()
    asyncio.run(cancel())
    drain.close()
    assert sorted(standing(yard, mail(key=key))[0] for key in "01") == ["in_doubt", "waiting"]
    for key in "01":
        yard.store().entry(own_name(mail(key=key))).close()


def test_a_full_disk_stops_the_work_and_loses_nothing(yard: Any, mail: Make, serving: Any, faulty: Any) -> None:
    """At any write: what goes is on record, what was answered is settled or known, and nobody gets a mail twice."""
    people = ("b@example.org", "c@example.org")

    def say(message: Message, recipient: str) -> Status:
        if message.key == "1" and recipient == people[1]:
            return Status.PERMANENT
        return Status.TEMPORARY if message.key == "2" and not tried.get(recipient) else Status.ACCEPTED

    writes = 0
    for at in range(200):
        yard.folder = yard.folder.with_name(f"queue{at}")
        yard.put(*[mail(*people, key=str(number), content=b"%d" % number * 3000) for number in range(4)])
        server = serving(say, depth=3)
        tried: dict[str, bool] = {}
        disk = faulty(at)
        with suppress(OSError):
            work(yard.drain(server, disk=disk))
        writes = writes or disk.count
        tried = dict.fromkeys(people, True)
        for _ in range(5):
            yard.runs(400)
            assert work(yard.drain(server)).refusal == ""
        assert left(yard) == []
        assert sorted(Counter(server.log).values()) == [1] * 7, at
        (name,) = yard.store().buried()
        assert list(yard.store().rejected(name).reasons) == [people[1]]
        assert yard.store().rejected(name).reasons[people[1]].startswith("550")
        if at > writes:
            break
    assert at == writes + 1
    assert writes > 15
