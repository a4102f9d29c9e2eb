"""What senders left behind that died, found by whoever starts or looks next.

For each claim of a dead owner:

    its journal holds an answer          the answer is written, as its sender would have done
    it was about to be handed over       it may have gone: the delivery table decides as for a lost answer, and its
                                         permit counts from now on
    neither                              certainly not handed over: it is queued again as it was, its permit given back

A journal is not flushed to the disk, so after a restart of the machine its tail may be missing. Then the last line says
too much: a claim without an answer may have gone. The same holds if the owner's lock was taken away by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipeline.state.facts import Moment, Recovered, Settlement, Stranded
from pipeline.state.records import Told
from pipeline.state.sqlite import settling
from pipeline.state.sqlite.transaction import Transaction

Decide = Callable[[Stranded, Moment], Settlement]
"""The delivery table's word on a message that may have gone."""


class Dead(NamedTuple):
    """An owner that is no more. `trusted`: its journal is whole, so what is not in it did not happen."""

    id: int
    told: Told
    trusted: bool


def owners(transaction: Transaction) -> tuple[tuple[int, str, str], ...]:
    """All owners on record: id, name, and the start of the machine in which each lived."""
    return tuple(transaction.connection.execute("SELECT id, name, boot_id FROM owner"))


def recover(transaction: Transaction, dead: Sequence[Dead], decide: Decide) -> Recovered:
    """Settle or give back all claims of the dead, and forget them."""
    total = Recovered()
    for owner in dead:
        found = _recover(transaction, owner, decide)
        total = Recovered(*map(sum, zip(total, found, strict=True)))
        transaction.connection.execute("DELETE FROM owner WHERE id = ?", (owner.id,))
    return total


def _recover(transaction: Transaction, dead: Dead, decide: Decide) -> Recovered:
    answered, doubtful, returned = [], [], []
    for row in transaction.connection.execute(
        "SELECT id, number, gate, places, due, since, expires, tries, at_most_once, recipients, result FROM message"
        " WHERE owner = ?",
        (dead.id,),
    ):
        message_id, number, gate, places, due, since, expires, tries, once, recipients, result = row
        if settlement := dead.told.settlements.get((message_id, number)):
            answered.append(settlement)
        elif places and (not dead.trusted or dead.told.handed_over.get(message_id) == number):
            names = tuple(json.loads(recipients))
            doubtful.append(
                Stranded(message_id, number, gate, places, due, since, expires, tries, bool(once), names, result)
            )
        else:
            returned.append((message_id, number))
    settling.settle(transaction, answered, dead.id)
    settling.settle(transaction, [decide(stranded, transaction.now) for stranded in doubtful], dead.id)
    settling.release(transaction, returned, dead.id)
    return Recovered(len(answered), len(returned), len(doubtful))
