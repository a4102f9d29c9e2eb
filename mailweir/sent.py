"""What became of one mail, for people who just send. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from systems.mail import Answer, Status

FINE: Final = 250

_words: Final = {
    Status.ACCEPTED: "Ok",
    Status.TEMPORARY: "TemporaryError",
    Status.PERMANENT: "PermanentError",
    Status.IN_DOUBT: "InDoubt",
    Status.NOT_TRIED: "TemporaryError",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome: `status` is 250 when every recipient is taken, else what the server said first against one.

    It is 0 when no server said anything. `reason` is for people, `recipients` has one answer for each.
    """

    status: int
    reason: str
    recipients: tuple[Answer, ...]

    @property
    def ok(self) -> bool:
        """Whether every recipient is taken."""
        return all(answer.status is Status.ACCEPTED for answer in self.recipients)

    @classmethod
    def of(cls, answers: tuple[Answer, ...]) -> Sent:
        """The outcome of these answers."""
        refused = next((answer for answer in answers if answer.status is not Status.ACCEPTED), None)
        if refused is None:
            return cls(FINE, "Ok", answers)
        count = sum(answer.status is not Status.ACCEPTED for answer in answers)
        reason = response(refused)
        if len(answers) > 1:
            reason = f"{count} of {len(answers)} recipients not taken; {refused.recipient}: {reason}"
        return cls(refused.code or 0, reason, answers)

    def document(self) -> dict[str, object]:
        """The outcome for programs: `ok` says that a server gave its verdict on each recipient, not that it is yes."""
        silent = next((answer for answer in self.recipients if answer.status in _no_verdict), None)
        found: dict[str, object] = {"status": "ok" if silent is None else "error"}
        if silent is not None:
            found["message"] = response(silent)
        found["deliveryStatus"] = [
            {"recipient": answer.recipient, "status": _words[answer.status], "response": response(answer)}
            for answer in self.recipients
        ]
        return found


_no_verdict: Final = frozenset({Status.IN_DOUBT, Status.NOT_TRIED})


def response(answer: Answer) -> str:
    """What the server said, or what there is to say instead."""
    parts = (str(answer.code or ""), answer.enhanced, answer.text)
    text = " ".join(part for part in parts if part)
    return f"{text} (the server may have it)" if answer.status is Status.IN_DOUBT else text
