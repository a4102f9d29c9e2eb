"""Servers of databases beside PostgreSQL, as declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pipeline.component import Advice
from pipeline.config.given import advice
from pipeline.secret import Secret
from systems.forms import form_problem, host_form, path_faults
from systems.sql.config import DatabaseConfig, Seconds, missing_package

if TYPE_CHECKING:
    from pipeline.component import Context
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from systems.sql.system import Sql


def _port(*usual: int) -> Any:  # noqa: ANN401 - what stands beside a type
    return Advice("no such TCP port", usual=usual)


class ServerConfig(DatabaseConfig):
    """A server of databases."""

    host: str = "localhost"
    """Host name or address of the server."""
    username: str | Secret
    """The user name of the login."""
    password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    connection_timeout: Seconds = 30
    """Seconds to reach the server."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The host can be one."""
        yield from super().faults(given)
        host = given.text("host")
        if host is not None and (wrong := host_form(host)):
            yield form_problem(given, "host", wrong)


class MysqlConfig(ServerConfig):
    """A MySQL or MariaDB database."""

    type: Literal["system:mysql"]
    """`system:mysql`."""
    port: Annotated[int, _port(3306), Field(ge=1, le=65535)] = 3306
    """TCP port."""
    database: str
    """The name of the database."""
    sslmode: Literal["disabled", "preferred", "required", "verify_ca", "verify_identity"] | None = None
    """How TLS is used, in MySQL's own words: `required` encrypts and trusts any server, `preferred` does so where the
    server can. Default: `verify_identity`, and for a server on this machine `preferred`."""
    ca_file: str | None = None
    """A PEM file with the authorities to trust. Default: those of the machine."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The driver is installed, and the path can be one."""
        yield from super().faults(given)
        yield from missing_package(given, "pymysql", "mysql")
        yield from path_faults(given, ("ca_file",))

    def build(self, context: Context) -> Sql:
        """The system at work."""
        from systems.sql.drivers import mysql  # noqa: PLC0415 - drivers are for those who connect

        return mysql(self, context.root)


class MssqlConfig(ServerConfig):
    """A Microsoft SQL Server database."""

    type: Literal["system:mssql"]
    """`system:mssql`."""
    port: Annotated[int, _port(1433), Field(ge=1, le=65535)] = 1433
    """TCP port."""
    database: str
    """The name of the database."""
    instance: str | None = None
    """The name of an instance; the server says at which port it is, and `port` is not used."""
    tds_version: Literal["7.0", "7.1", "7.2", "7.3", "7.4", "8.0"] | None = None
    """The version of the protocol. Default: what server and driver agree on."""
    encryption: Literal["off", "request", "require"] | None = None
    """Whether TLS is used; the certificate is not looked at. Default: `require`, and for a server on this machine
    `request`."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The driver is installed, and a port is not said in vain."""
        yield from super().faults(given)
        yield from missing_package(given, "pymssql", "mssql")
        if given.has("instance") and given.written("port"):
            notes = (advice("keep one of them: the server says at which port an instance is"),)
            yield given.problem("E209", "`instance` and `port` exclude each other", "port", at="key", notes=notes)

    def build(self, context: Context) -> Sql:
        """The system at work."""
        from systems.sql.drivers import mssql  # noqa: PLC0415 - as above

        return mssql(self)


class OracleConfig(ServerConfig):
    """An Oracle database; nothing of Oracle's own has to be installed."""

    type: Literal["system:oracle"]
    """`system:oracle`."""
    port: Annotated[int, _port(1521, 2484), Field(ge=1, le=65535)] = 1521
    """TCP port."""
    database: str | None = None
    """The SID of the database."""
    service_name: str | None = None
    """The name of its service, in the place of the SID."""
    tls: bool = False
    """Whether the connection is encrypted, and the server's certificate trusted and looked at."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The driver is installed, and one name says which database it is."""
        yield from super().faults(given)
        yield from missing_package(given, "oracledb", "oracle")
        yield from _one_name(given)

    def build(self, context: Context) -> Sql:
        """The system at work."""
        from systems.sql.drivers import oracle  # noqa: PLC0415 - as above

        return oracle(self)


class OracleTnsConfig(DatabaseConfig):
    """An Oracle database by its TNS name."""

    type: Literal["system:oracle_tns"]
    """`system:oracle_tns`."""
    username: str | Secret
    """The user name of the login."""
    password: Secret | str | None = None
    """The password of the login. Write a `$SECRET()`."""
    tns_name: str
    """Where the database is, `(DESCRIPTION=…)`, or a name of the file `tnsnames.ora` in the folder of `TNS_ADMIN`."""
    connection_timeout: Seconds = 30
    """Seconds to reach the server."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The driver is installed."""
        yield from super().faults(given)
        yield from missing_package(given, "oracledb", "oracle")

    def build(self, context: Context) -> Sql:
        """The system at work."""
        from systems.sql.drivers import oracle_tns  # noqa: PLC0415 - as above

        return oracle_tns(self)


def _one_name(given: Given) -> Iterator[Problem]:
    names = [name for name in ("database", "service_name") if given.has(name)]
    if not names and given.node.whole:
        help_ = advice('add `"service_name": "…"`, or the SID as `"database": "…"`')
        yield given.problem("E204", "there is no `service_name` and no `database`", "type", notes=(help_,))
    if len(names) > 1:
        notes = (advice("keep one of them"),)
        yield given.problem(
            "E209", "`database` and `service_name` exclude each other", "service_name", at="key", notes=notes
        )
