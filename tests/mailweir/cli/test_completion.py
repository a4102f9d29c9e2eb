"""`mailweir completion`, and what the shells' scripts ask on Tab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import pytest

from mailweir.cli import grammar
from mailweir.cli.complete import answer, candidates
from mailweir.cli.completion import FOLDER, shells, target
from mailweir.cli.group import aliases, root, verbs
from mailweir.cli.main import main
from mailweir.codes import codes

BIN: Final = Path(sys.executable).parent
PIPE: Final = '{"_id": "%s", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "entity-1"}]}%s}'
LETTERS: Final = ', "sink": {"dataset": "letters"}'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two components in a file, a broken file, one that is left out, and another project within."""
    folder = tmp_path / "project"
    for name, text in {
        "mailweir.json": '{"exclude": ["old"]}',
        "test-env.json": "{}",
        "prod-env.json": "{}",
        "systems/relay.conf.json": '{"_id": "relay", "type": "system:smtp", "smtp_password": "$SECRET(relay)"}',
        "pipes/two.conf.json": f"[{PIPE % ('orders', '')}, {PIPE % ('order-mail', LETTERS)}]",
        "pipes/broken.conf.json": '{"_id": "returns", "type": "pipe", "source": {"entities": [{"_id": "entity-2"}',
        "pipes/odd.conf.json": '["text", {"_id": 7}, null]',
        "old/gone.conf.json": PIPE % ("gone", ""),
        "inner/mailweir.json": "{}",
        "inner/pipes/inner.conf.json": PIPE % ("inner", ""),
        "inner/outbox.conf.json": '{"_id": "outbox", "type": "system:spool", "system": "relay"}',
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def options_of(command: click.Command) -> dict[str, grammar.Value]:
    """The options of a command with what they take; names of sorts are not known to click."""
    found: dict[str, grammar.Value] = {"-h": None, "--help": None}
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            taken = takes(parameter)
            found |= dict.fromkeys((*parameter.opts, *parameter.secondary_opts), taken)
    return found


def takes(parameter: click.Parameter) -> grammar.Value:
    """As the grammar writes it."""
    if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count):
        return None
    return tuple(parameter.type.choices) if isinstance(parameter.type, click.Choice) else "text"


def told(options: Mapping[str, grammar.Value]) -> dict[str, grammar.Value]:
    """The options of the grammar as far as click knows them."""
    return {name: "text" if isinstance(value, str) else value for name, value in options.items()}


def command(words: str) -> click.Command:
    """The command that some words name."""
    found: click.Command = root
    for word in words.split():
        assert isinstance(found, click.Group)
        below = found.get_command(click.Context(found), word)
        assert below is not None
        found = below
    return found


def test_every_verb_can_be_completed() -> None:
    """The grammar has the verbs and aliases that there are, and the words below a verb."""
    below = [
        f"{verb} {name}"
        for verb in verbs
        if isinstance(group := command(verb), click.Group)
        for name in group.list_commands(click.Context(group))
    ]
    assert set(grammar.verbs) == {*verbs, *below}
    assert grammar.aliases == aliases


@pytest.mark.parametrize("words", grammar.verbs)
def test_every_option_can_be_completed(words: str) -> None:
    """The grammar has the options of each verb, with the words that they take."""
    assert told({**grammar.common, **grammar.verbs[words].options}) == options_of(command(words))


@pytest.mark.parametrize(
    "words",
    [
        words
        for words in grammar.verbs
        if words not in {"config", "datasets", "discarded", "failed", "outbox", "secret", "secret set", "spool"}
    ],
)
def test_every_argument_can_be_completed(words: str) -> None:
    """As many arguments as the verb takes; `secret set` has one more, only to refuse it."""
    arguments = [one for one in command(words).params if isinstance(one, click.Argument)]
    assert len(grammar.verbs[words].arguments) == len(arguments)
    for argument, value in zip(arguments, grammar.verbs[words].arguments, strict=True):
        assert isinstance(value, tuple) or not isinstance(argument.type, click.Choice)


def test_choices_of_arguments_are_accepted() -> None:
    """Words that an argument takes without click knowing them: shells, kinds of `list`, words below `secret`."""
    from mailweir.cli.list import kinds  # noqa: PLC0415 - for this test

    assert grammar.verbs["completion"].arguments == (tuple(shells),)
    assert grammar.verbs["list"].arguments == (kinds,)
    for verb in ("config", "datasets", "discarded", "outbox", "secret", "spool"):
        group = command(verb)
        assert isinstance(group, click.Group)
        assert set(*grammar.verbs[verb].arguments) == set(group.list_commands(click.Context(group)))


@pytest.mark.parametrize(
    ("before", "current", "found"),
    [
        ("", "ch", ["check"]),
        ("", "val", ["validate"]),
        ("", "--js", ["--json"]),
        ("--json", "gr", ["graph"]),
        ("-C inner", "gr", ["graph"]),
        ("--color", "a", ["auto", "always"]),
        ("check", "--st", ["--strict", "--stdin-name"]),
        ("lint", "--st", ["--strict", "--stdin-name"]),
        ("check", "--format=j", ["--format=json", "--format=junit"]),
        ("check --format", "j", ["json", "junit"]),
        ("check --format json", "--st", ["--strict", "--stdin-name"]),
        ("check", "pi", [":file"]),
        ("check pipes", "sy", [":file"]),
        ("check", "--stdin-name=pi", []),
        ("check --", "--st", [":file"]),
        ("init", "", [":folder"]),
        ("init my-mail", "", []),
        ("completion", "", ["bash", "zsh", "fish", "powershell"]),
        ("graph", "", ["order-mail", "orders", "returns"]),
        ("graph", "order", ["order-mail", "orders"]),
        ("graph orders", "", []),
        ("-C inner graph", "", ["inner"]),
        ("graph --project inner", "", ["inner"]),
        ("graph --project=inner", "", ["inner"]),
        ("list", "s", ["systems", "sources", "sinks"]),
        ("list --refs", "", ["letters", "order-mail", "orders", "relay", "returns"]),
        ("list --profile", "", ["prod", "test"]),
        ("secret", "", ["set", "list", "remove"]),
        ("secret set", "", ["relay"]),
        ("spool", "d", ["drain", "delete"]),
        ("spool list", "", []),
        ("-C inner spool list", "", ["outbox"]),
        ("-C inner spool retry outbox", "", []),
        ("spool list outbox --state", "d", ["dead"]),
        ("limits", "re", ["relay"]),
        ("limits relay", "re", ["relay"]),
        ("outbox", "", ["list", "show", "retry", "delete", "export", "unlock"]),
        ("outbox list --state", "de", ["dead"]),
        ("outbox list --pipe", "order", ["order-mail", "orders"]),
        ("outbox export --format", "e", ["eml"]),
        ("outbox show", "", []),
        ("discarded", "e", ["export"]),
        ("discarded", "--l", ["--last", "--limit"]),
        ("discarded export --system", "", ["relay"]),
        ("secret list", "", []),
        ("secret remove", "", []),
        ("explain", "system:s", ["system:smtp", "system:spool", "system:sql", "system:sqlite"]),
        ("explain", "dis", ["discarded"]),
        ("explain", "emb", ["embedded"]),
        ("no-such-verb", "", []),
        ("no-such-verb", "--js", ["--json"]),
        ("check --no-such-option", "--js", ["--json"]),
    ],
)
def test_what_a_word_may_become(project: Path, before: str, current: str, found: list[str]) -> None:
    """After every kind of words before it."""
    assert candidates(before.split(), current, project) == found


def test_codes_are_completed_also_in_a_list(project: Path) -> None:
    """Every code that has a page, and codes after a comma."""
    assert set(candidates(["explain"], "", project)) >= {page.code for page in codes()}
    assert candidates(["check", "--select"], "E1", project) == [
        page.code for page in codes() if page.code.startswith("E1")
    ]
    assert "W302,E301" in candidates(["check", "--ignore"], "W302,e3", project)


def test_the_project_is_found_from_below(project: Path) -> None:
    """Ids are those of the whole project, wherever in it one stands; without a project there are none."""
    assert candidates(["graph"], "", project / "systems") == ["order-mail", "orders", "returns"]
    assert candidates(["graph"], "", project / "old") == ["order-mail", "orders", "returns"]


def test_names_of_stored_secrets_are_completed_and_no_part_of_a_value(project: Path) -> None:
    """A value of several lines may have a `=` in it; nothing of it is a name."""
    file = project / ".secrets.env"
    file.write_text("key='-----BEGIN KEY-----\nabc=\nxyz==\n-----END KEY-----'\nrelay=horse\n")
    file.chmod(0o600)
    assert candidates(["secret", "remove"], "", project) == ["key", "relay"]


def test_a_fault_prints_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a command is no place for an error: what cannot be read has no candidates."""
    (project / ".secrets.env").mkdir()
    assert answer(["-C", str(project), "secret", "remove", "@"]) == 0
    assert answer(["-C", "no such folder", "graph", "@"]) == 0
    assert answer([]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.split() == [*verbs_and_aliases()]


def verbs_and_aliases() -> list[str]:
    """The first words."""
    return [*(name for name in grammar.verbs if " " not in name), *grammar.aliases]


@pytest.mark.parametrize(
    "words", [["@ch"], ["graph", "@"], ["check", "--select", "@E"], ["explain", "@sys"], ["secret", "remove", "@"]]
)
def test_an_answer_imports_nothing_slow(project: Path, words: Sequence[str]) -> None:
    """Neither click nor pydantic nor Jinja2 is loaded on the way to a candidate."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mailweir", "--complete", *words],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "mailweir" in loaded
    assert not loaded & {"click", "pydantic", "jinja2", "asyncio", "subprocess"}


@pytest.mark.parametrize("shell", shells)
def test_a_script_is_printed_whole(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What goes to `eval` is the file of the shell, on standard output."""
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == (FOLDER / shells[shell].file).read_text()


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the shells that there are."""
    assert main(["completion", "tcsh"]) == 2
    assert capsys.readouterr().err == "error: no completion for 'tcsh' (bash zsh fish powershell)\n"


@pytest.mark.parametrize(
    ("shell", "path"),
    [
        ("bash", ".local/share/bash-completion/completions/mailweir"),
        ("zsh", ".zfunc/_mailweir"),
        ("fish", ".config/fish/completions/mailweir.fish"),
        ("powershell", ".config/powershell/mailweir.ps1"),
    ],
)
def test_a_script_is_installed_for_this_user(tmp_path: Path, shell: str, path: str) -> None:
    """Into the folder of the shell; it says which file, and what is left to do."""
    done = subprocess.run(
        [str(BIN / "mailweir"), "completion", shell, "--install"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert done.stdout == ""
    assert done.stderr.startswith(f"Wrote {tmp_path / path}\n")
    assert (tmp_path / path).read_text() == (FOLDER / shells[shell].file).read_text()


def test_folders_of_a_user_may_be_elsewhere() -> None:
    """The variables that move them are obeyed."""
    environ = {"HOME": "/h", "XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c", "ZDOTDIR": "/z"}
    assert [str(target(shell, environ)) for shell in shells] == [
        "/d/bash-completion/completions/mailweir",
        "/z/.zfunc/_mailweir",
        "/c/fish/completions/mailweir.fish",
        "/c/powershell/mailweir.ps1",
    ]
    assert str(target("bash", environ | {"BASH_COMPLETION_USER_DIR": "/b"})) == "/b/completions/mailweir"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The file, and why; exit code 2."""
    (tmp_path / ".zfunc").write_text("")
    done = subprocess.run(
        [str(BIN / "mailweir"), "completion", "zsh", "--install"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert done.returncode == 2
    assert done.stderr == f"error: cannot write {tmp_path / '.zfunc' / '_mailweir'}: file exists\n"


def test_the_outcome_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The script is in it; without `--install` there is no path."""
    assert main(["completion", "fish", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["command"], found["shell"], found["path"]) == ("completion", "fish", None)
    assert found["script"] == (FOLDER / "mailweir.fish").read_text()


# What a person has typed, and what it becomes; bash is given the words as it cuts them.
LINES: Final = [
    ("mailweir gra", ["mailweir", "gra"], ["graph"]),
    ("mailweir graph order", ["mailweir", "graph", "order"], ["order-mail", "orders"]),
    ("mailweir graph ", ["mailweir", "graph", ""], ["order-mail", "orders", "returns"]),
    ("mailweir check --format=j", ["mailweir", "check", "--format", "=", "j"], ["json", "junit"]),
    (
        "mailweir check --format=",
        ["mailweir", "check", "--format", "="],
        list(grammar.verbs["check"].options["--format"] or ()),
    ),
    ("mailweir explain system:sm", ["mailweir", "explain", "system", ":", "sm"], ["smtp"]),
    ("mailweir check sys", ["mailweir", "check", "sys"], ["systems"]),
    ("mailweir init p", ["mailweir", "init", "p"], ["pipes"]),
    ("mailweir graph nothing", ["mailweir", "graph", "nothing"], []),
]


def in_shell(shell: str, script: str, project: Path, *arguments: str) -> list[str]:
    """The lines that a script of a shell prints, in a project."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"no {shell} here")
    done = subprocess.run(
        [found, *arguments],
        input=script,
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(project), "TERM": "dumb"},
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(("line", "words", "found"), LINES, ids=[line for line, _, _ in LINES])
def test_bash_completes(project: Path, line: str, words: Sequence[str], found: Sequence[str]) -> None:
    """The function that the script sets for the command answers as bash asks it."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"""
        eval "$(mailweir completion bash)"
        [[ $(complete -p mailweir) == "complete -F _mailweir mailweir" ]] || exit 1
        COMP_LINE='{line}' COMP_POINT={len(line)} COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}
        _mailweir mailweir
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert [text for text in in_shell("bash", script, project, "--norc", "-s") if text] == list(found)


@pytest.mark.parametrize(("line", "words", "found"), LINES, ids=[line for line, _, _ in LINES])
def test_fish_completes(project: Path, line: str, words: Sequence[str], found: Sequence[str]) -> None:
    """As fish asks: its words are whole, and folders have a slash."""
    lead = "".join(words[-3:-1]) if "=" in words[-2:] or ":" in words[-2:] else ""
    lead = words[-2] + "=" if words[-1] == "=" else lead
    script = f"mailweir completion fish | source; complete -C '{line}'"
    answered = [text.rstrip("/").partition("\t")[0] for text in in_shell("fish", script, project, "--no-config")]
    assert sorted(answered) == sorted(f"{lead}{word}" for word in found)


def test_zsh_completes(project: Path) -> None:
    """The function hands the candidates, or the wish for files, to what zsh offers for them."""
    # `compadd` works only while a line is edited; it is put in the place of the one of zsh to see what it is given.
    script = """
        compdef() { print -r -- "compdef $*" }
        compadd() { shift; print -r -- "compadd $*" }
        _files() { print -r -- "_files $*" }
        eval "$(mailweir completion zsh)"
        ask() { words=("$@") CURRENT=$# PREFIX=${@[-1]}; _mailweir }
        ask mailweir gra
        ask mailweir graph order
        ask mailweir graph ''
        ask mailweir check --format=j
        ask mailweir check ''
        ask mailweir init ''
        ask mailweir graph nothing
    """
    assert in_shell("zsh", script, project, "-f") == [
        "compdef _mailweir mailweir",
        "compadd graph",
        "compadd order-mail orders",
        "compadd order-mail orders returns",
        "compadd --format=json --format=junit",
        "_files ",
        "_files -/",
    ]


def test_powershell_asks_the_same() -> None:
    """The script registers itself for the command and asks with the words before and the marked current one."""
    script = (FOLDER / "mailweir.ps1").read_text()
    assert "Register-ArgumentCompleter -Native -CommandName mailweir -ScriptBlock {" in script
    assert 'Extent.Text --complete @words "@$wordToComplete" 2>$null' in script
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    for opening, closing in ("{}", "()", "[]"):
        assert code.count(opening) == code.count(closing)
