"""The command `mailweir`: finds the verb, keeps faults readable, chooses the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

HELP = """\
mailweir {version}: read entities, transform them, send mail

  Start      init
  Look       check  explain  list  graph
  More       catch  schema  secret  completion

New here?  mailweir init my-mail && cd my-mail && mailweir check

Each verb has its own page: mailweir check --help
Options for every verb: -C DIR  --profile NAME  -e FILE  --json  --color WHEN  -q  -v  --no-input
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code. The page of `--help` needs no import."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments or arguments in (["-h"], ["--help"], ["help"]):
        from mailweir import __version__

        sys.stdout.write(HELP.format(version=__version__))
        return 0
    if arguments in (["--version"], ["-V"]):
        from mailweir import __version__

        sys.stdout.write(f"mailweir {__version__}\n")
        return 0
    if arguments[:1] == ["--complete"]:
        from mailweir.cli.complete import answer

        return answer(arguments[1:])
    from mailweir.cli.group import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
