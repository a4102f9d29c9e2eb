"""A database at work: connections to read from and to write to, and what went wrong in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, Protocol, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError, StatementError

# Numbers of drivers for a server that is not there, hangs up, or does not let in: MySQL's and FreeTDS's.
_UNREACHABLE: Final = frozenset({1040, 1044, 1045, 1049, 2002, 2003, 2006, 2013, 2026, 20002, 20009, 20047})


class SqlError(Exception):
    """What a database said. `position` counts characters of the statement, from 1; 0 is unknown.

    `lost` says that there is no connection, rather than something wrong with what was asked.
    """

    def __init__(self, text: str, *, position: int = 0, lost: bool = False) -> None:
        """`text` has no values of the statement beyond those that the database itself repeats."""
        super().__init__(text)
        self.text = text
        self.position = position
        self.lost = lost


class MakesEngine(Protocol):
    """How the engine of a system is made; one that `makes` may make the database too."""

    def __call__(self, *, makes: bool) -> Engine:
        """Nothing is connected yet."""
        ...


class Sql:
    """A database. Each connection is for one source or sink, and is closed when that has done its work."""

    def __init__(self, name: str, make: MakesEngine, zone: ZoneInfo) -> None:
        """`zone` is that of times without one."""
        self.name = name
        self.zone = zone
        self._make = make

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is open."""

    @cached_property
    def _reader(self) -> Engine:
        engine = self._make(makes=False)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
        if engine.dialect.name in {"mysql", "mariadb"}:
            event.listen(engine, "connect", _only_reads)
        return engine

    @cached_property
    def _writer(self) -> Engine:
        return self._make(makes=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that changes nothing; results are streamed. `SqlError` for all that fails."""
        options = {"postgresql_readonly": True} if self._reader.dialect.name == "postgresql" else {}
        with telling(), self._reader.connect() as connection:
            yield connection.execution_options(stream_results=True, **options)

    def writing(self) -> Connection:
        """A connection to write with. `SqlError` if there is none."""
        with telling():
            return self._writer.connect()


def _only_reads(connection: Any, _: object) -> None:  # noqa: ANN401 - as the driver has it
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


@contextmanager
def telling() -> Iterator[None]:
    """Turn what the library raises into `SqlError`."""
    try:
        yield
    except StatementError as error:
        raise _told(error) from None
    except NoSuchTableError as error:
        raise SqlError(f"no such table: {error}") from None
    except SQLAlchemyError as error:
        raise SqlError(" ".join(str(error).split())) from None


def _told(error: StatementError) -> SqlError:
    # The text of the library's own error has the statement and its values; that of the driver what the database said.
    said = " ".join(_words(error.orig).split("\n")[0].split()) or type(error.orig).__name__
    place = getattr(getattr(error.orig, "diag", None), "statement_position", None)
    lost = isinstance(error, DBAPIError) and (
        error.connection_invalidated
        or getattr(error.orig, "sqlstate", "") is None
        or next(iter(getattr(error.orig, "args", ())), None) in _UNREACHABLE
    )
    return SqlError(said, position=int(place) if place else 0, lost=lost)


def _words(error: BaseException | None) -> str:
    """What a driver says; some put a number before it, and some say it in bytes."""
    arguments: Any = getattr(error, "args", ())
    if len(arguments) == 1 and isinstance(arguments[0], tuple):
        arguments = arguments[0]
    if len(arguments) > 1 and isinstance(arguments[0], int):
        words = arguments[1]
        words = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"{words} ({arguments[0]})"
    return str(error)
