"""What a call of the writer gets."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from pipeline.state.facts import Moment
from pipeline.state.steady import Bearings


class Transaction(NamedTuple):
    """A transaction that writes. Who gets it neither begins nor ends one. `now` is when it began, under the lock."""

    connection: sqlite3.Connection
    bearings: Bearings
    now: Moment
