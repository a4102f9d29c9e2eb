"""The words of the command line, for completion: it must answer before click could be imported.

A test holds this against the commands themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

# What a value is: one of some words, or the name of a sort of things that `complete` finds. None: there is no value.
Value = tuple[str, ...] | str | None


class Verb(NamedTuple):
    """Options with what they take, and arguments in their order; the last one repeats where `repeats`."""

    options: Mapping[str, Value] = {}
    arguments: tuple[Value, ...] = ()
    repeats: bool = False


common: Final[Mapping[str, Value]] = {
    "-C": "folder",
    "--project": "folder",
    "--profile": "profile",
    "-e": "file",
    "--env-file": "file",
    "--json": None,
    "--color": ("auto", "always", "never"),
    "-q": None,
    "--quiet": None,
    "-v": None,
    "--verbose": None,
    "--no-input": None,
    "-h": None,
    "--help": None,
}

_states: Final = ("queued", "retrying", "in_doubt", "held", "dead")
_outbox: Final[Mapping[str, Value]] = {
    "--state": (*_states, "rejected", "discarded", "sent"),
    "--pipe": "pipe",
    "--system": "system",
    "--run": "text",
    "--entity": "text",
}
_discarded: Final[Mapping[str, Value]] = {
    "--pipe": "pipe",
    "--system": "system",
    "--run": "text",
    "--entity": "text",
    "--last": "text",
}
_discarded_list: Final[Mapping[str, Value]] = {**_discarded, "--limit": "text", "--csv": None, "--full": None}

_failed: Final[Mapping[str, Value]] = {"--pipe": "pipe", "--entity": "text", "--state": ("waiting", "dead")}
_failed_list: Final[Mapping[str, Value]] = {**_failed, "--limit": "text"}

verbs: Final[Mapping[str, Verb]] = {
    "catch": Verb({"--smtp-port": "text", "--dir": "folder", "--fail": "text", "--latency": "text"}),
    "check": Verb(
        {
            "--fix": None,
            "--diff": None,
            "--format": ("full", "concise", "json", "github", "junit", "sarif"),
            "--no-env": None,
            "--no-secrets": None,
            "--strict": None,
            "--select": "code",
            "--ignore": "code",
            "--watch": None,
            "--stdin-name": "file",
        },
        ("file",),
        repeats=True,
    ),
    "completion": Verb({"--install": None}, (("bash", "zsh", "fish", "powershell"),)),
    "config": Verb({}, (("import", "export", "history", "diff", "rollback"),)),
    "config import": Verb(
        {"--prune": None, "-m": "text", "--message": "text", "--dry-run": None}, ("file",), repeats=True
    ),
    "config export": Verb({"--at": "text", "--force": None}, ("folder",)),
    "config history": Verb({"--limit": "text"}, ("component",)),
    "config diff": Verb({"--files": None}, (None, None)),
    "config rollback": Verb({"-m": "text", "--message": "text", "--dry-run": None}, (None, "component"), repeats=True),
    "datasets": Verb({}, (("list", "show", "entities", "delete", "compact"),)),
    "datasets list": Verb(),
    "datasets show": Verb({}, ("pipe",)),
    "datasets entities": Verb(
        {"--id": "text", "--versions": None, "--since": "text", "--deleted": None, "--limit": "text"}, ("pipe",)
    ),
    "datasets delete": Verb({"--yes": None, "-y": None}, ("pipe",), repeats=True),
    "datasets compact": Verb({"--older": "text", "--deleted": None}, ("pipe",), repeats=True),
    "demo": Verb(
        {"--limit": None, "--keep": "folder", "--smtp-port": "text", "--open": None, "--no-open": None, "--exit": None}
    ),
    "dev": Verb(
        {"--smtp-port": "text", "--catch-to": "text", "--open": None, "--no-open": None}, ("pipe",), repeats=True
    ),
    "explain": Verb({}, ("topic",)),
    "doctor": Verb({"--connect": None, "--live": None}, ("system",)),
    "dtl": Verb({"--entity": "file", "--dataset": "pipe", "--batch": "file"}, ("text",)),
    "discarded": Verb(_discarded_list, (("list", "send", "export"),)),
    "discarded list": Verb(_discarded_list),
    "discarded send": Verb({**_discarded, "--limit": "text", "--yes": None, "-y": None}),
    "discarded export": Verb(_discarded),
    "failed": Verb(_failed_list, (("list", "show", "retry", "delete", "export"),)),
    "failed list": Verb(_failed_list),
    "failed show": Verb({}, (None,)),
    "failed retry": Verb({**_failed, "--yes": None, "-y": None}, (None,), repeats=True),
    "failed delete": Verb({**_failed, "--yes": None, "-y": None}, (None,), repeats=True),
    "failed export": Verb(_failed),
    "graph": Verb({"--format": ("text", "mermaid", "dot", "json", "svg"), "--partial": None}, ("pipe",)),
    "init": Verb(
        {
            "--template": ("welcome", "alerts", "digest", "shop", "mailer", "demo", "empty"),
            "--from-demo": None,
            "--force": None,
            "--list": None,
            "--deploy": ("systemd", "docker", "compose", "k8s", "monitoring"),
        },
        ("folder",),
    ),
    "list": Verb(
        {"--refs": "name", "--values": None},
        (("systems", "pipes", "sources", "transforms", "sinks", "functions", "codes"),),
    ),
    "health": Verb({"--ready": None}),
    "limits": Verb({}, ("system",), repeats=True),
    "outbox": Verb({}, (("list", "show", "retry", "delete", "export", "unlock"),)),
    "outbox list": Verb({**_outbox, "--to": "text", "--limit": "text", "--full": None}),
    "outbox show": Verb({"--body": None, "--full": None}, (None,)),
    "outbox retry": Verb({**_outbox, "--yes": None}, (None,), repeats=True),
    "outbox delete": Verb({**_outbox, "--older": "text", "--yes": None}, (None,), repeats=True),
    "outbox export": Verb({**_outbox, "--format": ("mbox", "eml"), "--out": "folder"}, (None,), repeats=True),
    "outbox unlock": Verb({}, (None,), repeats=True),
    "logs": Verb(
        {
            "-f": None,
            "--follow": None,
            "--pipe": "pipe",
            "--system": "system",
            "--level": ("debug", "info", "warning", "error"),
            "--since": "text",
            "--until": "text",
            "--grep": "text",
            "--limit": "text",
        }
    ),
    "pause": Verb({"--reason": "text", "--for": "text"}, ("name",)),
    "preview": Verb(
        {
            "--entity": "file",
            "--id": "text",
            "--n": "text",
            "--format": ("text", "html", "eml", "json"),
            "--open": None,
            "--watch": None,
            "--strict": None,
        },
        ("pipe",),
    ),
    "resume": Verb({}, ("name",)),
    "run": Verb(
        {
            "--dry-run": None,
            "--max-per-hour": "text",
            "--to": "text",
            "--only-to": "text",
            "--limit": "text",
            "--id": "text",
            "--since": "text",
            "--resend": None,
            "--input": "file",
            "--yes": None,
            "-y": None,
            "--wait": None,
            "--fail-on-discard": None,
            "--progress": ("auto", "bar", "plain", "none"),
        },
        ("pipe",),
        repeats=True,
    ),
    "schema": Verb({"--out": "folder", "--editor": ("vscode", "jetbrains", "none")}),
    "secret": Verb({}, (("set", "list", "remove"),)),
    "send": Verb(
        {
            "--from": "text",
            "--to": "text",
            "--cc": "text",
            "--bcc": "text",
            "--subject": "text",
            "--body": "text",
            "--body-file": "file",
            "--html": None,
            "--header": "text",
            "--attach": "file",
            "--message": "file",
            "--username": "text",
            "--tls": ("none", "preferred", "required"),
            "--ca-file": "file",
            "--timeout": "text",
            "--xverp": None,
            "--talk": None,
        },
        ("system",),
    ),
    "send-test": Verb({"--to": "text", "--from": "text"}, ("system",)),
    "secret set": Verb({}, ("secret",)),
    "secret list": Verb(),
    "secret remove": Verb({}, ("stored",)),
    "serve": Verb(
        {
            "--host": "text",
            "--port": "text",
            "--allowed-host": "text",
            "--auth-file": "file",
            "--tls-cert": "file",
            "--tls-key": "file",
            "--behind-proxy": None,
            "--no-http": None,
            "--no-ui": None,
            "--drain-timeout": "text",
            "--role": ("all", "scheduler", "sender", "web"),
            "--reload": None,
            "--no-reload": None,
            "--log-format": ("text", "json"),
            "--log-level": ("debug", "info", "warning", "error"),
        }
    ),
    "status": Verb({"--watch": None, "--offline": None}),
    "tap": Verb(
        {
            "--limit": "text",
            "--duration": "text",
            "--where": "text",
            "--mask": None,
            "--no-mask": None,
            "--save": "file",
        },
        ("pipe",),
    ),
    "test": Verb(
        {
            "-k": "text",
            "-x": None,
            "--exitfirst": None,
            "--update": None,
            "--update-new-only": None,
            "--review": None,
            "--prune": None,
            "--from-embedded": None,
            "--sesam-escape": None,
            "--new": "pipe",
            "--missing": None,
            "--coverage": None,
            "--fail-under": "text",
            "--full": None,
            "--junit": "file",
            "--watch": None,
        },
        ("file",),
        repeats=True,
    ),
    "spool": Verb({}, (("list", "show", "retry", "drain", "delete"),)),
    "spool list": Verb({"--state": _states, "--limit": "text", "--full": None}, ("spool",)),
    "spool show": Verb({"--body": None, "--full": None}, ("spool", None)),
    "spool retry": Verb({"--state": _states, "--yes": None}, ("spool", None), repeats=True),
    "spool drain": Verb({"--follow": None, "--anyway": None}, ("spool",)),
    "spool delete": Verb({"--state": _states, "--older": "text", "--yes": None}, ("spool", None), repeats=True),
    "transform": Verb(
        {
            "--entity": "file",
            "--id": "text",
            "--stage": ("before-transform", "after-transform", "sink"),
            "--trace": None,
        },
        ("pipe",),
    ),
}
aliases: Final[Mapping[str, str]] = {"lint": "check", "validate": "check"}
