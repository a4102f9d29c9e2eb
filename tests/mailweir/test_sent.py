"""What became of one mail, as a value and for programs."""

from __future__ import annotations

import pytest

from mailweir.sent import Sent
from systems.mail import Answer, Phase, Status


def answer(status: Status, code: int | None = 250, text: str = "said", recipient: str = "b@example.com") -> Answer:
    """An answer for a recipient."""
    return Answer(recipient, status, Phase.DOT, "mx", code, "", text)


@pytest.mark.parametrize(
    ("answers", "ok", "status", "reason"),
    [
        ((answer(Status.ACCEPTED),), True, 250, "Ok"),
        ((answer(Status.PERMANENT, 550, "no"),), False, 550, "550 no"),
        ((answer(Status.NOT_TRIED, None, "out of reach"),), False, 0, "out of reach"),
        (
            (answer(Status.ACCEPTED), answer(Status.TEMPORARY, 450, "later", "c@example.com")),
            False,
            450,
            "1 of 2 recipients not taken; c@example.com: 450 later",
        ),
    ],
)
def test_the_outcome_is_the_first_refusal(answers: tuple[Answer, ...], ok: bool, status: int, reason: str) -> None:
    """250 and Ok say that every recipient is taken; else it is what the server said first against one."""
    sent = Sent.of(answers)
    assert (sent.ok, sent.status, sent.reason, sent.recipients) == (ok, status, reason, answers)


def test_programs_get_a_word_for_each_recipient() -> None:
    """A verdict on each recipient is `ok`, whatever it says; silence is `error` with a message."""
    answers = (answer(Status.ACCEPTED), answer(Status.PERMANENT, 550, "no"), answer(Status.TEMPORARY, 450, "later"))
    document = Sent.of(answers).document()
    assert document["status"] == "ok"
    assert [one["status"] for one in document["deliveryStatus"]] == ["Ok", "PermanentError", "TemporaryError"]  # type: ignore[attr-defined]
    doubt = Sent.of((answer(Status.IN_DOUBT, None, "no answer within 5 s"),)).document()
    assert doubt == {
        "status": "error",
        "message": "no answer within 5 s (the server may have it)",
        "deliveryStatus": [
            {
                "recipient": "b@example.com",
                "status": "InDoubt",
                "response": "no answer within 5 s (the server may have it)",
            }
        ],
    }
