"""`mailweir run`, as a process of its own, with a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailweir.catcher import Catcher
from mailweir.destination import destination
from mailweir.rehearsal import mishap
from mailweir.systems_of import Systems
from pipeline.config.load import Options, load

TOP = Path(__file__).parents[3]
Command = Callable[..., Any]


def project(
    folder: Path, port: int, entities: int = 3, *, pipe: dict[str, Any] | None = None, **system: object
) -> Path:
    """A project with one pipe that mails; the first entity has no address."""
    (folder / "systems").mkdir(parents=True)
    (folder / "pipes").mkdir()
    office = {"_id": "office", "type": "system:smtp", "smtp_server": "127.0.0.1", "smtp_port": port, **system}
    people = [
        {"_id": f"c{at}", "email": f"c{at}@example.com" if at else "", "name": f"N{at}"} for at in range(entities)
    ]
    welcome = {
        "_id": "welcome-mail",
        "type": "pipe",
        "source": {"type": "embedded", "entities": people},
        "sink": {
            "type": "mail",
            "system": "office",
            "mail_from": "Example <hello@example.com>",
            "recipients_property": "email",
            "subject_template": "Welcome, {{ name }}",
            "body_template": "Hello {{ name }}",
        },
        **(pipe or {}),
    }
    (folder / "systems/office.conf.json").write_text(json.dumps(office))
    (folder / "pipes/welcome-mail.conf.json").write_text(json.dumps(welcome))
    return folder


def subjects(catcher: Catcher) -> list[str]:
    """The subjects that arrived."""
    return sorted(str(mail.document()["subject"]) for mail in catcher.mails)


def test_a_run_tells_what_became_of_everything(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """Where mail goes, a line for the pipe, what was rejected and why, and a sum."""
    project(tmp_path, catcher.port)
    done = command(tmp_path, "run")
    assert done.returncode == 4
    place = f"127.0.0.1:{catcher.port}"
    assert f"Mail goes to  {place} as Example <hello@example.com>   on this machine   profile test" in done.stderr
    assert "welcome-mail  3 read   2 sent   1 rejected" in done.stdout
    assert "c0  E502" in done.stdout
    assert done.stdout.endswith("2 sent, 1 rejected, 0 discarded. Window 2 of 1,000.\n")
    assert subjects(catcher) == ["Welcome, N1", "Welcome, N2"]


def test_the_same_run_twice_sends_nothing_and_says_why(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """The position is kept; with `--since 0` all is read and what was sent is skipped; `--resend` sends it."""
    project(tmp_path, catcher.port)
    command(tmp_path, "run")
    again = command(tmp_path, "run")
    assert again.returncode == 0
    assert "nothing new since the last run; `--since 0` reads everything again" in again.stdout
    all_of_it = command(tmp_path, "run", "--since", "0", "--json")
    assert json.loads(all_of_it.stdout)["pipes"][0]["mail"]["skipped"] == 2
    assert len(catcher.mails) == 2
    command(tmp_path, "run", "--since", "0", "--resend")
    assert len(catcher.mails) == 4
    headers: list[Any] = [mail.document()["headers"] for mail in catcher.mails]
    assert len({each["Message-ID"][0] for each in headers}) == 4


def test_a_refused_login_locks_no_account(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """The next run does not try it again before its time, unless it is another login."""
    login: dict[str, Any] = {"smtp_username": "ann", "smtp_password": "old"}
    project(tmp_path, catcher.port, **login)
    catcher.logins = {"ann": "new"}
    first = command(tmp_path, "run")
    assert (first.returncode, "535" in first.stderr) == (4, True)
    catcher.logins = {"ann": "old"}
    second = command(tmp_path, "run")
    assert (second.returncode, "535" in second.stderr) == (4, True)
    assert "the same login is tried again not before" in second.stderr
    assert not catcher.mails
    tried = command(tmp_path, "send-test", "office", "--to", "ann@example.com")
    assert (tried.returncode, len(catcher.mails)) == (0, 1)
    assert "2 sent" in command(tmp_path, "run").stdout


def test_a_login_that_was_refused_and_is_another_now_is_tried(
    catcher: Catcher, command: Command, tmp_path: Path
) -> None:
    """Whoever mends it need not wait."""
    login: dict[str, Any] = {"smtp_username": "ann", "smtp_password": "old"}
    office = project(tmp_path, catcher.port, **login) / "systems/office.conf.json"
    catcher.logins = {"ann": "new"}
    assert command(tmp_path, "run").returncode == 4
    office.write_text(office.read_text().replace("old", "new"))
    assert "2 sent" in command(tmp_path, "run").stdout
    assert len(catcher.mails) == 2


def test_two_processes_together_keep_the_limit(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """Of 250 mails 100 arrive, whoever of two processes sends them, and the counts of both add up."""
    project(tmp_path, catcher.port, 250, max_per_hour=100)
    call = [sys.executable, "-m", "mailweir", "run", "--json", "--since", "0"]
    with_us = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)}
    both = [
        subprocess.Popen(call, cwd=tmp_path, env=with_us, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(2)
    ]
    documents = [json.loads(one.communicate(timeout=300)[0]) for one in both]
    assert len(catcher.mails) == 100
    assert sum(one["pipes"][0]["mail"]["sent"] for one in documents) == 100
    for one in documents:
        (pipe,) = one["pipes"]
        assert sum(pipe["mail"].values()) == pipe["read"] == 250
    assert documents[0]["window"][0]["used"] == 100
    once_more = command(tmp_path, "run", "--since", "0", "--json", "--fail-on-discard")
    assert len(catcher.mails) == 100
    assert json.loads(once_more.stdout)["pipes"][0]["mail"]["skipped"] >= 100


def test_discards_are_told_once_and_can_fail_the_run(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """A warning with the limit and when a place is free; exit code 6 only if that is wanted."""
    project(tmp_path, catcher.port, 13, max_per_hour=10, pipe={"source": {"type": "embedded", "entities": PEOPLE}})
    done = command(tmp_path, "run", "--fail-on-discard")
    assert done.returncode == 6
    assert "warning: 3 mails were DISCARDED. office reached max_per_hour 10." in done.stderr
    assert "A place is free at" in done.stderr
    assert done.stderr.count("discarded:") == 0
    assert "10 sent, 3 discarded. Window 10 of 10." in done.stdout


def test_who_tries_a_run_out_uses_nothing_up(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """After `--to` and `--only-to` the next run reads the same entities, and mails those who have not got theirs."""
    project(tmp_path, catcher.port)
    command(tmp_path, "run", "--to", "me@example.com")
    assert "1 sent   1 rejected   1 held" in command(tmp_path, "run", "--only-to", "c1@*").stdout
    assert "1 sent   1 rejected   1 skipped" in command(tmp_path, "run").stdout
    assert "nothing new" in command(tmp_path, "run").stdout
    assert [mail.recipients[0] for mail in catcher.mails] == [
        "me@example.com",
        "me@example.com",
        "c1@example.com",
        "c2@example.com",
    ]


async def _refusing(folder: Path, command: Command) -> tuple[Any, Any]:
    async with Catcher(mishaps=[mishap("bo@example.com=550")]) as catcher:
        people = [{"_id": "c1", "email": "ann@example.com, bo@example.com", "name": "N"}]
        project(folder, catcher.port, pipe={"source": {"type": "embedded", "entities": people}})
        done = await asyncio.to_thread(command, folder, "run")
        return done, await asyncio.to_thread(command, folder, "run", "--since", "0", "--resend", "--json")


def test_who_was_refused_is_told_beside_what_was_sent(command: Command, tmp_path: Path) -> None:
    """A mail that one of two recipients gets is sent, and no quiet success."""
    done, document = asyncio.run(_refusing(tmp_path, command))
    assert (done.returncode, "1 read   1 sent" in done.stdout) == (4, True)
    assert "Sent, but not to everybody\n  c1  1 of 2; 550 " in done.stdout
    assert json.loads(document.stdout)["pipes"][0]["partly_sent"] == 1
    assert json.loads(document.stdout)["problems"][0]["outcome"] == "sent"


def test_each_limit_is_told_of_what_it_discarded(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """With several systems the warning and the sum name each of them, and an unknown entity is told as that."""
    project(tmp_path, catcher.port, 4, max_per_hour=2)
    office = json.loads((tmp_path / "systems/office.conf.json").read_text())
    pipe = json.loads((tmp_path / "pipes/welcome-mail.conf.json").read_text())
    second = {**pipe, "_id": "second", "sink": {**pipe["sink"], "system": "other"}}
    others = [{**office, "_id": "other", "max_per_hour": 1}, second]
    (tmp_path / "others.conf.json").write_text(json.dumps(others))
    done = command(tmp_path, "run")
    assert "warning: 1 mail was DISCARDED. office reached max_per_hour 2." in done.stderr
    assert "warning: 2 mails were DISCARDED. other reached max_per_hour 1." in done.stderr
    assert done.stderr.count("Which ones") == 1
    assert "Window of office 2 of 2." in done.stdout
    assert "Window of other 1 of 1." in done.stdout
    assert "no entity has the `_id` nobody" in command(tmp_path, "run", "second", "second", "--id", "nobody").stdout


def test_limits_are_shown_where_a_login_is_a_secret(command: Command, tmp_path: Path) -> None:
    """A configuration that `check` passes is no faulty one for `limits`."""
    project(tmp_path, 9, smtp_username="u", smtp_password="$SECRET(pw)")
    (tmp_path / ".secrets.env").write_text("pw=hidden-17\n")
    (tmp_path / ".secrets.env").chmod(0o600)
    done = command(tmp_path, "limits")
    assert (done.returncode, "0 of 1000" in done.stdout) == (0, True), done.stderr


PEOPLE = [{"_id": f"c{at}", "email": f"c{at}@example.com", "name": f"N{at}"} for at in range(13)]


def test_a_dry_run_sends_and_stores_nothing(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """The mails are rendered into files, and the limit that is asked about is answered."""
    project(tmp_path, catcher.port, 13)
    done = command(tmp_path, "run", "--dry-run", "--max-per-hour", "5")
    assert done.returncode == 4
    assert "13 read" in done.stdout
    assert "12 would be sent" in done.stdout
    assert "With max_per_hour 1,000 (0 used now) all 12 fit." in done.stdout
    assert "With 5 as you asked: 5 fit now, 7 would be discarded." in done.stdout
    index = tmp_path / done.stdout.partition("Rendered mail: ")[2].strip()
    assert "Welcome, N1" in index.read_text()
    assert len(list(index.parent.glob("*.eml"))) == 12
    assert catcher.mails == []
    assert not (tmp_path / ".mailweir/state.db").exists()


def test_guards_of_a_run(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """`--to` sends everything to one; `--only-to` holds the rest; `--limit` and `--id` choose."""
    project(tmp_path, catcher.port, 6)
    command(tmp_path, "run", "--to", "me@example.com", "--limit", "3")
    assert [mail.recipients for mail in catcher.mails] == [("me@example.com",)] * 2
    done = command(tmp_path, "run", "--only-to", "c4@*", "--json")
    assert json.loads(done.stdout)["pipes"][0]["mail"]["held"] == 4
    assert catcher.mails[-1].recipients == ("c4@example.com",)
    command(tmp_path, "run", "--id", "c5")
    assert catcher.mails[-1].recipients == ("c5@example.com",)
    assert len(catcher.mails) == 4


def test_entities_come_from_a_file_or_standard_input(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """`--input` stands in for the source of the one pipe; where the input breaks, what came before is mailed."""
    project(tmp_path, catcher.port)
    good = '{"_id": "x", "email": "x@example.com", "name": "X"}\n'
    (tmp_path / "more.jsonl").write_text(good)
    assert command(tmp_path, "run", "--input", "more.jsonl").returncode == 0
    done = command(tmp_path, "run", "--input", "-", given=good + '{"_id": "y", "email": }\n')
    assert (done.returncode, "1 skipped" in done.stdout) == (4, True)
    assert " --> <stdin>:2:22" in done.stderr
    assert len(catcher.mails) == 1
    wrong = command(tmp_path, "run", "--input", "none.jsonl")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "error: --input: cannot read 'none.jsonl': no such file or directory\n",
    )
    # The position in the declared source has not moved.
    assert "3 read" in command(tmp_path, "run").stdout


def test_mail_that_a_condition_lets_out_is_announced_too(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """Where mail goes is told of the chosen alternative; the other one sends nothing."""
    mail = {
        "type": "mail",
        "system": "office",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "subject_template": "Hi",
        "body_template": "Hi",
    }
    sink = {"type": "conditional", "condition": "$ENV(where)", "alternatives": {"out": mail, "off": {"type": "null"}}}
    project(tmp_path, catcher.port, pipe={"sink": sink})
    off = command(tmp_path, "run", "--since", "0", where="off")
    assert ("Mail goes to" in off.stderr, len(catcher.mails)) == (False, 0)
    out = command(tmp_path, "run", "--since", "0", where="out")
    assert (f"Mail goes to  127.0.0.1:{catcher.port}" in out.stderr, len(catcher.mails)) == (True, 2)


def test_a_digest_that_was_discarded_goes_as_it_was(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """`discarded send` mails the gathered entities together, and gathers nothing anew."""
    people = [{"_id": f"o{at}", "email": f"c{at % 2}@example.com", "name": f"N{at}"} for at in range(4)]
    sink = {
        "type": "mail",
        "system": "office",
        "mail_from": "hello@example.com",
        "recipients_property": "email",
        "digest": {"by": "email"},
        "subject_template": "{{ entities | length }} for {{ email }}",
        "body_template": "{% for one in entities %}{{ one.name }} {% endfor %}",
    }
    pipe = {"source": {"type": "embedded", "entities": people}, "sink": sink}
    project(tmp_path, catcher.port, max_per_hour=1, pipe=pipe)
    done = command(tmp_path, "run", "--json")
    assert {"sent": 2, "discarded": 2}.items() <= json.loads(done.stdout)["pipes"][0]["mail"].items()
    office = tmp_path / "systems/office.conf.json"
    office.write_text(office.read_text().replace('"max_per_hour": 1', '"max_per_hour": 9'))
    assert command(tmp_path, "discarded", "send", "--yes").returncode == 0
    assert subjects(catcher) == ["2 for c0@example.com", "2 for c1@example.com"]


def test_a_queue_and_a_folder_are_called_what_they_are(command: Command, tmp_path: Path) -> None:
    """The first line says that nothing is sent, or where a queue sends on to."""
    project(tmp_path, 9, smtp_server="mail.example.com")
    others = [
        {"_id": "drop", "type": "system:eml", "folder": "out"},
        {"_id": "rest", "type": "system:spool", "system": "office", "process": False},
        {"_id": "queue", "type": "system:spool", "system": "office"},
    ]
    (tmp_path / "systems/others.conf.json").write_text(json.dumps(others))
    pipe = tmp_path / "pipes/welcome-mail.conf.json"
    before = pipe.read_text()
    for name, words in (
        ("drop", "the folder out as Example <hello@example.com>   nothing is sent"),
        ("rest", "the queue rest as Example <hello@example.com>   nothing is sent"),
    ):
        pipe.write_text(before.replace('"system": "office"', f'"system": "{name}"'))
        assert f"Mail goes to  {words}   profile test" in command(tmp_path, "run", "--since", "0").stderr
    loaded = load(tmp_path, Options(here=tmp_path))
    assert destination(loaded, Systems(loaded), "queue") == (
        "the queue queue, and from there to mail.example.com:9",
        "real",
    )


def test_a_server_that_is_not_there_costs_no_mail(command: Command, tmp_path: Path) -> None:
    """The run ends with 4 and says why; everything is queued, and the next step is named."""
    project(tmp_path, 9)
    done = command(tmp_path, "run")
    assert done.returncode == 4
    assert "2 queued" in done.stdout
    assert "error: office: 127.0.0.1:9 cannot be reached: connection refused" in done.stderr
    assert "mailweir doctor --connect" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "welcom-mail"), 2, "no pipe 'welcom-mail'. Did you mean 'welcome-mail'?"),
        (("run", "--max-per-hour", "5"), 2, "--max-per-hour is a question that only --dry-run answers"),
        (("run", "--to", "kari@"), 2, "'kari@' is not an address"),
        (("run", "--limit", "0"), 2, "0 is not in the range"),
    ],
)
def test_wrong_use_is_told(command: Command, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    """Nothing is run, and the way out is named."""
    project(tmp_path, 9)
    done = command(tmp_path, *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_a_configuration_with_errors_runs_nothing(command: Command, tmp_path: Path) -> None:
    """Exit code 3, and where to look."""
    project(tmp_path, 9, smtp_sever="x")
    done = command(tmp_path, "run")
    assert (done.returncode, done.stderr) == (3, "error: the configuration has 1 error. See: mailweir check\n")


def test_a_bad_line_of_a_file_stops_its_pipe_and_loses_nothing(
    catcher: Catcher, command: Command, tmp_path: Path
) -> None:
    """What stands before it is mailed, the place is told, and the corrected line goes with the next run."""
    project(tmp_path, catcher.port, pipe={"source": {"type": "json", "path": "in.jsonl"}})
    lines = [json.dumps({"_id": f"c{at}", "email": f"c{at}@example.com", "name": f"N{at}"}) for at in range(4)]
    (tmp_path / "in.jsonl").write_text("\n".join([*lines[:2], '{"_id": 3}', lines[3], ""]))
    done = command(tmp_path, "run", "welcome-mail")
    assert done.returncode != 0
    assert "error[E218]: the `_id` of this entity is a number" in done.stderr
    assert " --> in.jsonl:3:9" in done.stderr
    assert subjects(catcher) == ["Welcome, N0", "Welcome, N1"]
    (tmp_path / "in.jsonl").write_text("\n".join([*lines, ""]))
    done = command(tmp_path, "run", "welcome-mail")
    assert (done.returncode, "2 read   2 sent" in done.stdout) == (0, True)
    assert subjects(catcher) == [f"Welcome, N{at}" for at in range(4)]


def test_standard_input_is_a_source(catcher: Catcher, command: Command, tmp_path: Path) -> None:
    """It is read once, by the run."""
    project(tmp_path, catcher.port, pipe={"source": {"type": "json", "path": "-"}})
    done = command(tmp_path, "run", given='{"_id": "1", "email": "a@example.com", "name": "A"}\n')
    assert (done.returncode, subjects(catcher)) == (0, ["Welcome, A"])
