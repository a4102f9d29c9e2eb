"""From a checked configuration to a server at work: what each driver wants to be told."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from systems.sql.build import on_this_machine, revealed
from systems.sql.system import Sql

if TYPE_CHECKING:
    from systems.sql.servers import MssqlConfig, MysqlConfig, OracleConfig, OracleTnsConfig

# MySQL's own number for a server that knows no TLS.
_NO_TLS: Final = 2026
_TDS_ENCRYPTION: Final = {"off": "off", "request": "request", "require": "require"}


def mysql(config: MysqlConfig, root: str) -> Sql:
    """MySQL or MariaDB."""
    import pymysql  # type: ignore[import-untyped]  # noqa: PLC0415 - it may not be installed

    mode = config.sslmode or ("preferred" if config.host in on_this_machine else "verify_identity")
    arguments: dict[str, Any] = {
        "host": config.host,
        "port": config.port,
        "user": revealed(config.username),
        "password": revealed(config.password) or "",
        "database": config.database,
        "charset": "utf8mb4",
        "connect_timeout": max(1, round(config.connection_timeout)),
    }
    if config.zone == ZoneInfo("UTC"):
        # Columns of the type TIMESTAMP come in the time zone of the connection.
        arguments["init_command"] = "SET time_zone = '+00:00'"
    context = None if mode == "disabled" else _tls(mode, None if config.ca_file is None else Path(root, config.ca_file))

    def connect() -> Any:  # noqa: ANN401 - as the driver has it
        if context is None:
            return pymysql.connect(**arguments, ssl_disabled=True)
        try:
            return pymysql.connect(**arguments, ssl=context)
        except pymysql.err.OperationalError as error:
            if mode != "preferred" or error.args[0] != _NO_TLS:
                raise
            return pymysql.connect(**arguments, ssl_disabled=True)

    return Sql(config.id, _engines("mysql+pymysql://", connect), config.zone)


def _tls(mode: str, authorities: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    context.check_hostname = mode == "verify_identity"
    context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("verify") else ssl.CERT_NONE
    return context


def mssql(config: MssqlConfig) -> Sql:
    """Microsoft SQL Server."""
    import pymssql  # noqa: PLC0415 - as above

    arguments: dict[str, Any] = {
        "server": f"{config.host}\\{config.instance}" if config.instance else config.host,
        "user": revealed(config.username),
        "password": revealed(config.password) or "",
        "database": config.database,
        "login_timeout": max(1, round(config.connection_timeout)),
        "encryption": config.encryption or ("request" if config.host in on_this_machine else "require"),
    }
    if not config.instance:
        arguments["port"] = str(config.port)
    if config.tds_version is not None:
        arguments["tds_version"] = config.tds_version
    return Sql(config.id, _engines("mssql+pymssql://", lambda: pymssql.connect(**arguments)), config.zone)


def oracle(config: OracleConfig) -> Sql:
    """Oracle, by the name of a server."""
    import oracledb  # noqa: PLC0415 - as above

    name = {"service_name": config.service_name} if config.service_name else {"sid": config.database}
    arguments: dict[str, Any] = {
        "user": revealed(config.username),
        "password": revealed(config.password),
        "host": config.host,
        "port": config.port,
        "protocol": "tcps" if config.tls else "tcp",
        "tcp_connect_timeout": config.connection_timeout,
        **name,
    }
    return Sql(config.id, _engines("oracle+oracledb://", lambda: oracledb.connect(**arguments)), config.zone)


def oracle_tns(config: OracleTnsConfig) -> Sql:
    """Oracle, by a TNS name."""
    import oracledb  # noqa: PLC0415 - as above

    user, password = revealed(config.username), revealed(config.password)

    def connect() -> Any:  # noqa: ANN401 - as the driver has it
        return oracledb.connect(
            user=user, password=password, dsn=config.tns_name, tcp_connect_timeout=config.connection_timeout
        )

    return Sql(config.id, _engines("oracle+oracledb://", connect), config.zone)


def _engines(url: str, connect: Callable[[], Any]) -> Callable[..., Engine]:
    def engine(*, makes: bool) -> Engine:  # noqa: ARG001 - a database is never made
        return create_engine(url, creator=connect, poolclass=NullPool)

    return engine
