"""Databases as declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field

from pipeline.component import Advice, SystemConfig
from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.secret import Secret
from systems.forms import form_problem, host_form, path_faults

if TYPE_CHECKING:
    from pipeline.component import Context
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.sql.system import Sql

Port = Annotated[int, Advice("no such TCP port", usual=(5432, 6432)), Field(ge=1, le=65535)]
Seconds = Annotated[float, Advice("not a time", ("write seconds: 30 or 0.5",)), Field(gt=0, le=86_400)]


class DatabaseConfig(SystemConfig):
    """A database."""

    timezone: str = "UTC"
    """The time zone of times that the database gives without one: `UTC`, `Europe/Oslo`. They become times in UTC."""
    pool_size: int | None = None
    """Read from Sesam configurations and ignored: each source and sink has one connection while it works."""
    pool_timeout: int | None = None
    """Read from Sesam configurations and ignored."""
    pool_max_overflow: int | None = None
    """Read from Sesam configurations and ignored."""
    pool_recycle: int | None = None
    """Read from Sesam configurations and ignored."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The time zone is one, and what talks to the database is installed."""
        zone = given.text("timezone")
        if zone is not None and zone not in available_timezones():
            close = near(zone, available_timezones())
            help_ = advice(f'did you mean "{close[0]}"?' if close else 'such as "UTC" or "Europe/Oslo"')
            yield given.problem("E203", f"there is no time zone `{zone}`", "timezone", notes=(help_,))
        yield from missing_package(given, "sqlalchemy", "sql")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)


def missing_package(given: Given, package: str, extra: str) -> Iterator[Problem]:
    """E203 if a package is not installed that this system needs."""
    if find_spec(package) is None:
        help_ = advice(f"`pip install 'mailweir[{extra}]'`")
        yield given.problem("E203", f"this system needs the package `{package}`", "type", notes=(help_,))


class SqliteConfig(DatabaseConfig):
    """A SQLite database in a file."""

    type: Literal["system:sqlite"]
    """`system:sqlite`."""
    path: str
    """The file; a relative path starts in the project. Sources need it to be there."""
    busy_timeout: Seconds = 30
    """Seconds to wait for another program that is writing."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The path can be one."""
        yield from super().faults(given)
        yield from path_faults(given, ("path",))

    def build(self, context: Context) -> Sql:
        """The system at work."""
        from systems.sql.build import sqlite  # noqa: PLC0415 - drivers are for those who connect

        return sqlite(self, context.root)


class PostgresqlConfig(DatabaseConfig):
    """A PostgreSQL database."""

    type: Literal["system:postgresql"]
    """`system:postgresql`."""
    host: str = "localhost"
    """Host name or address of the server, or the folder of its Unix socket."""
    port: Port = 5432
    """TCP port."""
    database: str
    """The name of the database."""
    username: str | Secret | None = None
    """The user name of the login. Default: the name of the user who runs this."""
    password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = None
    """How TLS is used, in PostgreSQL's own words. Default: `verify-full`, and for a server on this machine `prefer`."""
    ca_file: str | None = None
    """A PEM file with the authorities to trust. Default: those of the machine."""
    connection_timeout: Seconds = 30
    """Seconds to reach the server."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Host and path can be what they are for; a password has a user."""
        yield from super().faults(given)
        yield from missing_package(given, "psycopg", "postgres")
        yield from path_faults(given, ("ca_file",))
        host = given.text("host")
        if host is not None and not host.startswith("/") and (wrong := host_form(host)):
            yield form_problem(given, "host", wrong)
        if given.has("password") and not given.has("username"):
            help_ = advice('add `"username": "…"`')
            yield given.problem("E206", "`password` without `username`", "password", notes=(help_,))

    def build(self, context: Context) -> Sql:
        """The system at work."""
        from systems.sql.build import postgresql  # noqa: PLC0415 - as above

        return postgresql(self, context.root)


class SqlSystemConfig(DatabaseConfig):
    """Any database for which SQLAlchemy has a dialect, by its URL."""

    type: Literal["system:sql"]
    """`system:sql`."""
    connection_string: Secret | str
    """The URL of the database: `mysql+pymysql://user:password@db.example.com/shop`. Its driver must be installed. As
    it holds a password, write a `$SECRET()`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The URL names a dialect whose driver is installed."""
        yield from super().faults(given)
        text = given.text("connection_string")
        if text is not None and find_spec("sqlalchemy") is not None:
            from systems.sql.build import url_fault  # noqa: PLC0415 - as above

            if wrong := url_fault(text):
                message, help_ = wrong
                yield given.problem("E203", message, "connection_string", notes=(advice(help_),))

    def build(self, context: Context) -> Sql:
        """The system at work."""
        from systems.sql.build import by_url  # noqa: PLC0415 - as above

        return by_url(self)
