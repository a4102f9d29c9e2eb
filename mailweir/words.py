"""The words that the product uses everywhere, and what each of them means. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.receipt import Outcome


@dataclass(frozen=True, slots=True)
class Word:
    """A word, its meaning in paragraphs, and other ways to ask for it."""

    name: str
    text: str
    aliases: tuple[str, ...] = ()


outcomes: Final[dict[Outcome, str]] = {
    Outcome.SENT: "The mail server took the message for at least one recipient, and none is still to be tried. That it"
    " is in somebody's inbox is never claimed. Final.",
    Outcome.QUEUED: "The message is kept and was not tried yet, or waits until `max_per_hour` has room again.",
    Outcome.RETRYING: "The server said to come back later, or it could not be reached. The time of the next try is"
    " known.",
    Outcome.IN_DOUBT: "The whole message was handed over and the answer never came, so it may have been taken or not."
    " It is tried again a few times and then `held`; where nobody may get a mail twice it is never sent again.",
    Outcome.DEAD: "The server refused the message for good, or its tries are used up. It is kept until a person acts.",
    Outcome.REJECTED: "The message was never given to a server: no recipient that is an address, a template that"
    " fails, or too large. It is kept until a person acts.",
    Outcome.DISCARDED: '`max_per_hour` was reached and `on_limit` is "discard". The log has one warning, the summary'
    " one count, and the entity is kept so that it can be sent later. Final.",
    Outcome.HELD: "The message is kept back and nothing was sent: its recipient is outside those that the run may"
    " mail, or it was in doubt too often.",
    Outcome.SKIPPED: "Nothing to do: the same mail was handed over before, the entity is in the dataset as it is, or"
    " the sink takes nothing. Final.",
    Outcome.WRITTEN: "The entity is in the dataset: it is new there or has changed. Final.",
}

_of_env = """\
`$ENV(name)` in a value stands for a value from outside: a host, an address, a limit that differs from one place to
another. It is looked for in this order:

1. the environment of the process
2. `.env` in the project, or the files that `-e` names
3. `<profile>-env.json` in the project; a number stays a number there

Each place is also asked for the name as shells write it: `mail-host` as `MAIL_HOST`.

A value that is one whole reference keeps the type of what it refers to. What comes from the environment is text, and
is read as the type that the property needs. Inside a longer string a reference becomes text. References do not stand
in names of properties or in each other. For the text itself write `$$ENV(`.

To check without values: `mailweir check --no-env`."""

_of_secrets = """\
`$SECRET(name)` in a value stands for a password or a key. It may stand in those properties of systems that `mailweir
explain` calls a secret, and in the keys of encryption, nowhere else. It is looked for in this order:

1. `$CREDENTIALS_DIRECTORY`, which systemd sets
2. `/run/secrets`, where containers find them
3. the environment of the process, as `MAILWEIR_SECRET_` and the name as shells write it
4. `.secrets.env` in the project, which only its owner may read
5. the folder that `secrets.directory` in `mailweir.json` names, with one file a secret
6. the command in the variable `MAILWEIR_SECRETS_COMMAND`

`mailweir secret set name` stores one in `.secrets.env`; the input is hidden. No message, log or file shows the value of
a secret, its length or anything made from it: it is `********` everywhere.

To check without secrets: `mailweir check --no-secrets`."""

_of_profiles = """\
The profile says which `<profile>-env.json` gives values to `$ENV()`: `test` reads `test-env.json`, `prod` reads
`prod-env.json`. It is what `--profile` says, else `profile` in `mailweir.json`, else `test`."""

_of_exit_codes = """\
What a command tells the shell:

- 0: done, nothing to report
- 1: looked and found a fault
- 2: wrong use: an unknown option, a name that does not exist, a question without anyone to answer it
- 3: the configuration has errors, so nothing was done
- 4: it ran, and some mail was refused, must be tried again, or waits for a person
- 70: a fault in mailweir itself; the message says where the report is
- 130: stopped by Ctrl-C

5 to 7 are kept for tests and for the server."""


def words() -> tuple[Word, ...]:
    """Every word: outcomes first."""
    listed = "\n".join(f"- {outcome}: {text}" for outcome, text in outcomes.items())
    return (
        *(Word(outcome.value, text, (outcome.value.replace("_", " "),)) for outcome, text in outcomes.items()),
        Word("outcomes", f"What became of an entity, in one word:\n\n{listed}", ("outcome",)),
        Word("$ENV", _of_env, ("env", "$env()")),
        Word("$SECRET", _of_secrets, ("secret", "secrets", "$secret()")),
        Word("profile", _of_profiles, ("profiles",)),
        Word("exit codes", _of_exit_codes, ("exit code", "exit", "exitcodes")),
    )


def find(text: str) -> Word | None:
    """The word that someone asks for, whatever the case."""
    asked = text.lower().replace("-", " ").replace("_", " ")
    return next((word for word in words() if asked in {_folded(name) for name in (word.name, *word.aliases)}), None)


def _folded(name: str) -> str:
    return name.lower().replace("_", " ")
