"""`mailweir list` as people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest

from mailweir.cli.group import run
from mailweir.cli.list import _summary
from mailweir.codes import codes
from pipeline.component import ComponentConfig
from pipeline.config.registry import Entry

SYSTEM = """\
{
  "_id": "our-smtp-server",
  "type": "system:smtp",
  "smtp_server": "mail.example.com",
  "smtp_port": 587,
  "use_tls": true,
  "smtp_username": "$ENV(smtp-username)",
  "smtp_password": "$SECRET(smtp-password)"
}
"""
MAIL = {
    "type": "mail",
    "system": "our-smtp-server",
    "mail_from": "post@example.com",
    "recipients": "kari@example.com",
    "subject_template": "Hello",
    "body_template": "Hello",
}
CUSTOMERS = {"_id": "customers", "type": "pipe", "source": {"type": "embedded", "entities": []}}
WELCOME = {"_id": "welcome-mail", "type": "pipe", "source": {"type": "dataset", "dataset": "customers"}, "sink": MAIL}


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Mailweir(NamedTuple):
    """Calls the command in a folder."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Done:
        """Run it and take what it wrote."""
        with chdir(self.folder):
            code = run(arguments)
        return Done(code, *self.capsys.readouterr())

    def write(self, name: str, content: object) -> None:
        """A file of the project; what is no text is written as JSON."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    def document(self, *arguments: str) -> dict[str, Any]:
        """The JSON document that the command gives."""
        found: dict[str, Any] = json.loads(self(*arguments, "--json").out)
        return found


@pytest.fixture
def mailweir(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Mailweir:
    """The command, in a project with a mail system, two pipes and their values."""
    found = Mailweir(tmp_path, capsys)
    found.write("systems/mail.conf.json", SYSTEM)
    found.write("pipes/customers.conf.json", CUSTOMERS)
    found.write("pipes/welcome-mail.conf.json", WELCOME)
    found.write(".env", "smtp-username=post@example.com\n")
    found.write(".secrets.env", "smtp-password=correct-horse\nold-token=battery-staple\n")
    (tmp_path / ".secrets.env").chmod(0o600)
    return found


def lines(text: str) -> str:
    """A text without the blanks that it is indented by here."""
    return dedent(text).lstrip("\n")


def test_the_components_of_a_project(mailweir: Mailweir) -> None:
    """Systems, then pipes, with what they read and write and how many tests they have."""
    mailweir.write("expected/welcome-mail.test.json", {})
    mailweir.write("expected/no-address.test.json", {"pipe": "welcome-mail"})
    mailweir.write("expected/other.test.json", "{")
    assert mailweir("list") == (
        0,
        lines("""
            TYPE         ID               READS      WRITES                  TESTS
            system:smtp  our-smtp-server             mail.example.com:587
            pipe         customers        embedded   dataset customers       none
            pipe         welcome-mail     customers  mail → our-smtp-server  2
        """),
        "",
    )


def test_systems_or_pipes_only(mailweir: Mailweir) -> None:
    """A kind leaves the others out, and columns that it does not fill."""
    assert mailweir("list", "systems").out == lines("""
        TYPE         ID               WRITES
        system:smtp  our-smtp-server  mail.example.com:587
    """)
    assert [line.split()[1] for line in mailweir("list", "pipes").out.splitlines()] == [
        "ID",
        "customers",
        "welcome-mail",
    ]
    (mailweir.folder / "systems" / "mail.conf.json").unlink()
    (mailweir.folder / "pipes" / "welcome-mail.conf.json").unlink()
    assert mailweir("list", "systems") == (0, "", "no systems in this project\n")


def test_components_for_programs(mailweir: Mailweir) -> None:
    """The same facts as JSON."""
    found = mailweir.document("list")
    assert {key: found[key] for key in ("schema_version", "command", "ok", "exit_code", "errors")} == {
        "schema_version": 1,
        "command": "list",
        "ok": True,
        "exit_code": 0,
        "errors": 0,
    }
    assert found["components"][0] == {
        "kind": "system",
        "type": "system:smtp",
        "id": "our-smtp-server",
        "file": "systems/mail.conf.json",
        "address": "mail.example.com:587",
    }
    end = {"kind": "system", "name": "our-smtp-server", "mail": True, "joined": False, "when": None}
    assert found["components"][2]["writes"] == [end]
    assert found["components"][2]["tests"] == 0


def test_alternatives_and_wide_characters_keep_their_columns(mailweir: Mailweir) -> None:
    """A column is as wide as what stands in it."""
    choice = {"type": "conditional", "condition": "prod", "alternatives": {"prod": MAIL, "test": {"type": "null"}}}
    mailweir.write("pipes/welcome-mail.conf.json", WELCOME | {"sink": choice})
    mailweir.write("pipes/x.conf.json", CUSTOMERS | {"_id": "注文", "sink": {"type": "dataset", "dataset": "受注"}})
    out = mailweir("list", "pipes").out
    assert out == lines("""
        TYPE  ID            READS      WRITES                                      TESTS
        pipe  customers     embedded   dataset customers                           none
        pipe  welcome-mail  customers  mail → our-smtp-server (prod), null (test)  none
        pipe  注文          embedded   dataset 受注                                none
    """)


def test_a_configuration_with_errors_is_listed_as_far_as_it_loads(mailweir: Mailweir) -> None:
    """The count of errors goes to standard error; the exit code stays 0."""
    mailweir.write(
        "pipes/bad.conf.json", '{"_id": "bad", "type": "pipe", "source": {"type": "embeded", "entities": []}}'
    )
    done = mailweir("list", "pipes")
    assert (done.code, done.err) == (0, "the config has 1 error; this is what loads. See: mailweir check\n")
    assert [line.split()[1] for line in done.out.splitlines()[1:]] == ["bad", "customers", "welcome-mail"]
    assert mailweir.document("list")["errors"] == 1


def test_functions_are_listed(mailweir: Mailweir) -> None:
    """Each with its kind, its subject and how it is called; one that is both stands there twice."""
    found = mailweir.document("list", "functions")["functions"]
    assert [one["kind"] for one in found if one["name"] == "if"] == ["expression", "transform"]
    out = mailweir("list", "functions").out.splitlines()[1:]
    assert [line.split()[0] for line in out] == [one["name"] for one in found]
    assert any(line.endswith('["upper", VALUES]') for line in out)


def test_an_unknown_kind_is_wrong_use(mailweir: Mailweir) -> None:
    """The near kind, and all kinds."""
    err = (
        "error: no kind 'pipez'. Did you mean 'pipes'? Kinds: systems pipes sources transforms sinks functions codes\n"
    )
    assert mailweir("list", "pipez") == (2, "", err)


def test_three_lists_are_not_one(mailweir: Mailweir) -> None:
    """A kind, `--refs` and `--values` exclude each other."""
    err = "error: a KIND, `--refs` and `--values` are three different lists: ask for one\n"
    assert mailweir("list", "pipes", "--values") == (2, "", err)
    assert mailweir("list", "--refs", "customers", "--values") == (2, "", err)


@pytest.mark.parametrize(("kind", "type_"), [("sources", "embedded"), ("transforms", "dtl"), ("sinks", "mail")])
def test_the_types_of_a_kind(mailweir: Mailweir, kind: str, type_: str) -> None:
    """Each installed type with its summary and its package, sorted by name; no project is needed."""
    for folder in (mailweir.folder, mailweir.folder / "expected"):
        folder.mkdir(exist_ok=True)
        found = Mailweir(folder, mailweir.capsys).document("list", kind)["types"]
        assert [one["type"] for one in found] == sorted(one["type"] for one in found)
        assert type_ in {one["type"] for one in found}
        assert all(one["package"] == "mailweir" and one["summary"].endswith((".", ":")) for one in found)
    head, *rest = mailweir("list", kind).out.splitlines()
    assert head.split("  ")[0] == "TYPE"
    assert [line.split()[0] for line in rest] == [one["type"] for one in found]


def test_a_type_that_cannot_be_loaded_is_listed_all_the_same() -> None:
    """A broken plugin hides nothing else."""

    def load() -> type[ComponentConfig]:
        raise ImportError("no module")

    assert _summary(Entry("broken", "a-plugin", load)) == "cannot be loaded"


def test_plugins_that_the_project_allows_are_listed(mailweir: Mailweir) -> None:
    """`mailweir.json` says which packages count; one that is not installed has no types."""
    mailweir.write("mailweir.json", {"plugins": ["not-installed"]})
    assert {one["package"] for one in mailweir.document("list", "sinks")["types"]} == {"mailweir"}


def test_every_code(mailweir: Mailweir) -> None:
    """All codes in the order of their numbers, those that nothing reports yet marked."""
    found = mailweir.document("list", "codes")["codes"]
    assert [one["code"] for one in found] == [page.code for page in codes()]
    out = mailweir("list", "codes").out.splitlines()[1:]
    assert [line.split()[0] for line in out] == [page.code for page in codes()]
    assert [line.split()[1] == "reserved" for line in out] == [page.reserved for page in codes()]


def test_everywhere_an_id_is_named(mailweir: Mailweir) -> None:
    """Where it is declared, what names it, and its tests: what has to change when it is renamed."""
    mailweir.write("pipes/archive.conf.json", CUSTOMERS | {"_id": "a", "sink": {"type": "dataset", "dataset": "old"}})
    mailweir.write("pipes/b.conf.json", CUSTOMERS | {"_id": "b", "source": {"type": "dataset", "dataset": "old"}})
    mailweir.write("expected/customers.test.json", {})
    mailweir.write("expected/x.test.json", '{\n  "pipe": "customers"}')
    assert mailweir("list", "--refs", "our-smtp-server").out == lines("""
        PLACE                                         PROPERTY
        pipes/welcome-mail.conf.json:1:131  names     welcome-mail.sink.system
        systems/mail.conf.json:2:10         declares  our-smtp-server._id
    """)
    assert [line.split() for line in mailweir("list", "--refs", "customers").out.splitlines()[1:]] == [
        ["pipes/customers.conf.json:1:9", "declares", "customers._id"],
        ["pipes/welcome-mail.conf.json:1:82", "names", "welcome-mail.source.dataset"],
        ["expected/customers.test.json:1:1", "tests"],
        ["expected/x.test.json:2:11", "tests", "pipe"],
    ]
    assert [(one["role"], one["path"]) for one in mailweir.document("list", "--refs", "old")["refs"]] == [
        ("writes", ["a", "sink", "dataset"]),
        ("names", ["b", "source", "dataset"]),
    ]


def test_an_unknown_id_is_wrong_use(mailweir: Mailweir) -> None:
    """A near name is offered."""
    err = "error: no system, pipe or dataset 'welcom-mail'. Did you mean 'welcome-mail'?\n"
    assert mailweir("list", "--refs", "welcom-mail") == (2, "", err)


def test_where_values_come_from(mailweir: Mailweir) -> None:
    """Values of variables are shown, secrets are only said to be set; what nothing uses is listed as that."""
    assert mailweir("list", "--values") == (
        0,
        lines("""
            $ENV(smtp-username)     post@example.com  .env          used by our-smtp-server.smtp_username
            $SECRET(smtp-password)  set, not shown    .secrets.env  used by our-smtp-server.smtp_password
            $SECRET(old-token)      set, not shown    .secrets.env  not used
        """),
        "",
    )


def test_what_is_not_set_is_said(mailweir: Mailweir) -> None:
    """A reference without a value has no place; the errors are counted."""
    (mailweir.folder / ".env").unlink()
    (mailweir.folder / ".secrets.env").unlink()
    assert mailweir("list", "--values") == (
        0,
        lines("""
            $ENV(smtp-username)     not set  used by our-smtp-server.smtp_username
            $SECRET(smtp-password)  not set  used by our-smtp-server.smtp_password
        """),
        "the config has 2 errors; this is what loads. See: mailweir check\n",
    )


def test_a_project_without_references(mailweir: Mailweir) -> None:
    """There is nothing to list, and that is said."""
    for name in (".env", ".secrets.env", "systems/mail.conf.json", "pipes/welcome-mail.conf.json"):
        (mailweir.folder / name).unlink()
    assert mailweir("list", "--values") == (0, "", "no $ENV() and no $SECRET() in this project\n")


def test_values_of_the_process_come_first(mailweir: Mailweir) -> None:
    """The place says which value wins; the one in the file is not used then."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), "list", "--values"],
        cwd=mailweir.folder,
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "SMTP_USERNAME": "other@example.com"},
    )
    first, second, *_ = done.stdout.decode().splitlines()
    assert first.split()[:3] == ["$ENV(smtp-username)", "other@example.com", "the"]
    assert second.split()[:3] == ["$ENV(smtp-username)", "post@example.com", ".env"]
    assert second.endswith("  not used")


def test_no_secret_is_ever_shown(mailweir: Mailweir) -> None:
    """Not those of secrets, of variables with secret names or in secret properties, nor logins in URLs."""
    canary = "Kanarie-7d1f"
    mailweir.write(".env", f"smtp-username=u\nmy-password={canary}1\nplain={canary}2\nfeed=https://me:{canary}3@h/x\n")
    mailweir.write("test-env.json", {"dsn": f"Server=x;Password={canary}4", "nested": {"token": f"{canary}5", "a": 1}})
    mailweir.write(".secrets.env", f"smtp-password={canary}6\nold-token={canary}7\n")
    system = {"_id": "second", "type": "system:smtp", "smtp_username": "x", "smtp_password": "$ENV(plain)"}
    mailweir.write("systems/second.conf.json", system)
    for arguments in ([], ["--json"], ["-v"]):
        done = mailweir("list", "--values", *arguments)
        assert done.code == 0
        assert "anarie" not in done.out + done.err
        assert "$ENV(plain)" in done.out or '"plain"' in done.out
    shown = {one["name"]: one for one in mailweir.document("list", "--values")["values"]}
    assert (shown["my-password"]["shown"], shown["plain"]["shown"], shown["feed"]["shown"]) == (False, False, True)
    assert shown["my-password"]["value"] is None
    assert shown["nested"]["value"]["a"] == 1


def test_what_another_alternative_uses_is_not_unused(mailweir: Mailweir) -> None:
    """A value that only production needs is not offered for removal."""
    mailweir.write(".env", "smtp-username=u\nproduction-host=mail.example.com\nnode-env=test\n")
    choice = {
        "condition": "$ENV(node-env)",
        "alternatives": {"prod": {"smtp_server": "$ENV(production-host)"}, "test": {"smtp_server": "localhost"}},
    }
    system = {"_id": "second", "type": "system:smtp", "$conditional_properties": choice}
    mailweir.write("systems/second.conf.json", system)
    row = next(line for line in mailweir("list", "--values").out.splitlines() if "production-host" in line)
    assert row.endswith("used by an alternative that is not chosen now")


def test_long_and_odd_values_stay_on_one_line(mailweir: Mailweir) -> None:
    """An empty text is two quotes, a typed value is JSON, a long one is cut, line ends are shown as signs."""
    mailweir.write(
        "test-env.json", {"empty": "", "list": [1, "é"], "long": "x" * 100, "lines": "a\nb", "smtp-username": 5}
    )
    out = mailweir("list", "--values").out
    shown = {line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in out.splitlines()}
    assert shown["$ENV(empty)"].startswith('""  ')
    assert shown["$ENV(list)"].startswith('[1, "é"]  ')
    assert shown["$ENV(long)"].startswith("x" * 60 + "…  ")
    assert shown["$ENV(lines)"].startswith("a␊b  ")


def test_without_a_configuration(mailweir: Mailweir, tmp_path: Path) -> None:
    """A folder without a project is wrong use; one that holds projects says which."""
    folder = tmp_path / "empty" / "systems"
    folder.mkdir(parents=True)
    err = "error: no configuration in this folder (looked for *.conf.json)\n"
    assert Mailweir(folder.parent, mailweir.capsys)("list") == (2, "", err)
    (folder / "alerts").mkdir()
    (folder / "alerts" / "mailweir.json").write_text("{}")
    err = "error: no configuration of its own in this folder; projects in it: alerts\n"
    assert Mailweir(folder.parent, mailweir.capsys)("list") == (2, "", err)


def test_a_terminal_without_the_arrow_gets_ascii(mailweir: Mailweir) -> None:
    """`->` instead of `→`."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), "list"],
        cwd=mailweir.folder,
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "latin-1"},
    )
    assert b"mail -> our-smtp-server" in done.stdout


def test_a_reader_that_has_gone_is_no_fault() -> None:
    """When nobody reads the output, the verb ends with 0 and without a word."""
    command = [str(Path(sys.executable).with_name("mailweir")), "list", "codes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
