"""The command `mailweir`: finds the verb, keeps faults readable, chooses the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mailweir import __version__
from mailweir.cli.streams import StreamError, opened, put

HELP = """\
mailweir {version}: read entities, transform them, send mail

  Start      init  demo  dev
  Look       check  explain  list  graph  preview  transform  dtl
  Test       test
  Run        run  serve  send-test  send
  Operate    status  datasets  limits  outbox  discarded  failed
             spool  tap  logs  pause  resume  doctor  health
  More       catch  schema  secret  completion

New here?  mailweir demo        shows a first mail; nothing leaves this machine

Each verb has its own page: mailweir check --help
Options for every verb: -C DIR  --profile NAME  -e FILE  --json  --color WHEN  -q  -v  --no-input
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code. The page of `--help` needs no import."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments or arguments in (["-h"], ["--help"], ["help"]):
        return _show(HELP.format(version=__version__))
    if arguments in (["--version"], ["-V"]):
        return _show(f"mailweir {__version__}\n")
    if arguments in (["--version", "--json"], ["--json", "--version"]):
        head = '{"schema_version": 1, "command": "version", "ok": true, "exit_code": 0, '
        return _show(f'{head}"version": "{__version__}"}}\n')
    if arguments[:1] == ["--complete"]:
        from mailweir.cli.complete import answer

        return answer(arguments[1:])
    if arguments[0] == "help":
        arguments = [*arguments[1:], "--help"]
    from mailweir.cli.group import run

    return run(arguments)


def _show(page: str) -> int:
    try:
        put(opened(sys.stdout), page)
    except StreamError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
