"""`mailweir check` as a whole process."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

SYSTEM = """{
  "_id": "our-smtp-server",
  "type": "system:smtp",
  "smtp_server": "mail.example.com",
  "smtp_port": "587",
  "use_tls": true,
}
"""
FIXED = SYSTEM.replace('"587"', "587").replace("true,", "true")


def mailweir(*arguments: str, folder: Path, given: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a folder, with nothing but these variables set."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environ},
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one faulty system."""
    folder = tmp_path / "project"
    (folder / "systems").mkdir(parents=True)
    (folder / "systems" / "a.conf.json").write_text(SYSTEM)
    return folder


def test_a_project_without_faults_says_what_was_checked(project: Path) -> None:
    """One line, exit code 0."""
    (project / "systems" / "a.conf.json").write_text(FIXED)
    done = mailweir("check", folder=project)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"All checks passed: 1 system in 1 file.\n"


def test_faults_end_with_one_and_go_to_standard_error(project: Path) -> None:
    """Both faults are told, with a count, and standard output stays empty."""
    done = mailweir("check", folder=project)
    assert (done.returncode, done.stdout) == (1, b"")
    text = done.stderr.decode()
    assert "error[E202]: `smtp_port` must be an integer, not a string\n --> systems/a.conf.json:5:16 (" in text
    assert "error[E101]: trailing comma at the end of the object\n --> systems/a.conf.json:6:18" in text
    assert text.endswith("2 errors, 0 warnings in 1 file. 2 fixable with `mailweir check --fix`.\n")


def test_repairs_change_their_characters_and_no_other_byte(project: Path) -> None:
    """Line ends, a byte order mark and the mode of the file stay; afterwards the check passes."""
    file = project / "systems" / "a.conf.json"
    file.write_bytes(b"\xef\xbb\xbf" + SYSTEM.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    done = mailweir("check", "--fix", folder=project)
    assert done.returncode == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_a_diff_shows_the_repairs_and_writes_nothing(project: Path) -> None:
    """The diff is on standard output; the file is as it was."""
    done = mailweir("check", "--diff", folder=project)
    assert b'-  "smtp_port": "587",\n-  "use_tls": true,\n+  "smtp_port": 587,\n+  "use_tls": true\n' in done.stdout
    assert (project / "systems" / "a.conf.json").read_text() == SYSTEM
    assert done.returncode == 1


def test_standard_input_stands_for_a_file_of_the_project(project: Path) -> None:
    """The text that an editor holds is checked in the place of the file on disk; `--fix` gives it back repaired."""
    done = mailweir("check", "-", "--stdin-name", "systems/a.conf.json", folder=project, given=FIXED.encode())
    assert (done.returncode, done.stderr) == (0, b"All checks passed: 1 system in 1 file.\n")
    done = mailweir("check", "-", "--fix", folder=project, given=SYSTEM.encode())
    assert done.stdout.decode() == FIXED
    assert (project / "systems" / "a.conf.json").read_text() == SYSTEM


@pytest.mark.parametrize("style", ["concise", "json", "github", "junit", "sarif"])
def test_formats_for_programs_go_to_standard_output(project: Path, style: str) -> None:
    """Each has both faults at their lines."""
    done = mailweir("check", "--format", style, folder=project)
    text = done.stdout.decode()
    assert done.returncode == 1
    assert text.count("E202") >= 1
    assert text.count("E101") >= 1
    if style in {"json", "sarif"}:
        json.loads(text)
    if style == "junit":
        ET.fromstring(text)


def test_json_is_one_document_with_the_exit_code(project: Path) -> None:
    """`--json` is the same before and after the verb."""
    after = mailweir("check", "--json", folder=project)
    before = mailweir("--json", "check", folder=project)
    assert after.stdout == before.stdout
    report = json.loads(after.stdout)
    assert (report["schema_version"], report["command"], report["ok"], report["exit_code"]) == (1, "check", False, 1)
    assert [(d["code"], d["line"], d["column"]) for d in report["diagnostics"]] == [("E101", 6, 18), ("E202", 5, 16)]


def test_annotations_come_by_themselves_where_they_are_read(project: Path) -> None:
    """In a workflow the faults become annotations."""
    done = mailweir("check", folder=project, GITHUB_ACTIONS="true")
    assert done.stdout.startswith(b"::error file=systems/a.conf.json,line=6,col=18,")


def test_codes_can_be_chosen_and_left_out(project: Path) -> None:
    """By code or family, on the command line or with a reason in the settings."""
    assert mailweir("check", "--select", "E1", folder=project).stderr.count(b"error[") == 1
    assert mailweir("check", "--ignore", "E101,E202", folder=project).returncode == 0
    (project / "mailweir.json").write_text('{"ignore": {"E101": "a reason", "E2": "another"}}')
    assert mailweir("check", folder=project).returncode == 0


def test_warnings_count_when_they_are_told_to(project: Path) -> None:
    """A password in the file is a warning, and an error with `--strict`; it is shown nowhere."""
    text = FIXED.replace('"use_tls"', '"smtp_username": "a", "smtp_password": "canary-9", "use_tls"')
    (project / "systems" / "a.conf.json").write_text(text)
    lenient, strict = mailweir("check", folder=project), mailweir("check", "--strict", folder=project)
    assert (lenient.returncode, strict.returncode) == (0, 1)
    assert b"W302" in lenient.stderr
    assert b"canary" not in lenient.stderr + strict.stderr


def test_values_can_be_taken_as_given(project: Path) -> None:
    """Without values every reference counts as set; with them each unset one is an error."""
    text = FIXED.replace("587", '"$ENV(port)"').replace(
        '"use_tls"', '"smtp_username": "a", "smtp_password": "$SECRET(x)", "use_tls"'
    )
    (project / "systems" / "a.conf.json").write_text(text)
    assert mailweir("check", folder=project).stderr.count(b"error[E30") == 2
    assert mailweir("check", "--no-env", "--no-secrets", folder=project).returncode == 0
    assert mailweir("check", folder=project, PORT="587", MAILWEIR_SECRET_X="s").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["chekc"], "error: no command 'chekc'. Did you mean 'check'?"),
        (["check", "--fxi"], "error: no option '--fxi'. Did you mean '--fix'?"),
        (["--versoin"], "error: no option '--versoin'. Did you mean '--version'"),
        (["check", "nowhere"], "error: no file or folder 'nowhere'"),
        (["check", "*.none"], "error: nothing matches '*.none'"),
        (["-C", "nowhere", "check"], "error: no folder "),
        (["check", "--format", "xml"], "error: "),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_two(project: Path, arguments: list[str], line: str) -> None:
    """What is wrong is named, with what was meant."""
    done = mailweir(*arguments, folder=project)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(line)
    assert b"Traceback" not in done.stderr


def test_a_folder_without_configuration_is_wrong_use(tmp_path: Path) -> None:
    """Nothing to check is not the same as nothing wrong."""
    done = mailweir("check", folder=tmp_path)
    assert (done.returncode, done.stderr) == (2, b"error: no configuration in this folder (looked for *.conf.json)\n")


def test_no_colour_leaves_a_pipe_unless_it_is_asked_for(project: Path) -> None:
    """NO_COLOR beats FORCE_COLOR, and an option beats both."""
    plain = mailweir("check", folder=project).stderr
    assert b"\x1b" not in plain
    assert b"\x1b" in mailweir("check", folder=project, FORCE_COLOR="1").stderr
    assert b"\x1b" not in mailweir("check", folder=project, FORCE_COLOR="1", NO_COLOR="1").stderr
    assert b"\x1b" in mailweir("check", "--color", "always", folder=project, NO_COLOR="1").stderr


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(project: Path) -> None:
    """Only regular files are opened: a FIFO ends in a located error."""
    os.mkfifo(project / "systems" / "b.conf.json")
    (project / "systems" / "c.conf.json").mkdir()
    done = mailweir("check", folder=project)
    assert b"error[E115]: cannot read this file: it is not a regular file\n --> systems/b.conf.json:1:1" in done.stderr


def test_a_link_that_leads_out_is_reported_and_not_read(project: Path, tmp_path: Path) -> None:
    """A file outside the project is read only when the settings say so."""
    (project / "systems" / "a.conf.json").write_text(FIXED)
    outside = tmp_path / "outside.conf.json"
    outside.write_text(FIXED.replace("our-smtp-server", "outside"))
    (project / "systems" / "link.conf.json").symlink_to(outside)
    assert b"E115" in mailweir("check", folder=project).stderr
    (project / "mailweir.json").write_text('{"follow_links": true}')
    assert mailweir("check", folder=project).stderr == b"All checks passed: 2 systems in 2 files.\n"


def test_a_project_below_is_checked_as_its_own(project: Path) -> None:
    """The same `_id` in two projects is no fault; faults of both are told together."""
    (project / "systems" / "a.conf.json").write_text(FIXED)
    below = project / "examples" / "one"
    below.mkdir(parents=True)
    (below / "mailweir.json").write_text("{}")
    (below / "a.conf.json").write_text(FIXED)
    assert mailweir("check", folder=project).stderr == b"All checks passed: 2 systems in 2 files.\n"
    (project / "mailweir.json").write_text('{"exclude": ["examples"]}')
    assert mailweir("check", folder=project).stderr == b"All checks passed: 1 system in 1 file.\n"


def test_one_file_is_reported_within_its_project(project: Path) -> None:
    """References lead into the other files, whose faults are not told."""
    pipe = {
        "_id": "a",
        "type": "pipe",
        "source": {"type": "embedded", "entities": []},
        "sink": {"type": "mail", "system": "our-smtp-server", "mail_from": "a@example.com"},
    }
    (project / "pipes").mkdir()
    (project / "pipes" / "a.conf.json").write_text(json.dumps(pipe))
    assert mailweir("check", "pipes", folder=project).returncode == 0
    assert mailweir("check", "pipes/a.conf.json", folder=project.parent, given=b"").returncode == 2
    assert mailweir("check", "project/pipes/a.conf.json", folder=project.parent).returncode == 0
    assert mailweir("check", folder=project).returncode == 1


@pytest.mark.parametrize("start", ["pipes", "pipes/deep"])
def test_a_check_within_a_project_is_of_all_of_it(project: Path, start: str) -> None:
    """Without a path the project is found upwards and named; `.` is this folder alone."""
    (project / "pipes" / "deep").mkdir(parents=True)
    (project / "pipes" / "deep" / "a.conf.json").write_text('{"_id": "a", "type": "pipe", "source": {"type": "empty"}}')
    inside = mailweir("check", folder=project / start)
    assert inside.returncode == 1
    assert inside.stderr.decode().startswith(f"the project begins in {project}\nerror[")
    assert f" --> {project}/systems/a.conf.json:5:16 (".encode() in inside.stderr
    named = mailweir("-C", start, "check", "--format", "concise", folder=project)
    assert named.stderr.decode() == f"the project begins in {project}\n"
    assert f"{project}/systems/a.conf.json:5:16: E202 ".encode() in named.stdout
    only = mailweir("check", ".", folder=project / start)
    assert (only.returncode, only.stderr) == (0, b"All checks passed: 1 pipe in 1 file.\n")
    quiet = mailweir("check", "-q", "--format", "concise", folder=project / start)
    assert quiet.stderr == b""


def test_a_way_with_two_dots_leads_to_the_project(project: Path, tmp_path: Path) -> None:
    """Also through a link, where `..` is the folder above what the link leads to."""
    (tmp_path / "link").symlink_to(project / "systems")
    for folder in ("project/systems/..", "link/..", "project/../project"):
        done = mailweir("-C", folder, "check", "--format", "concise", folder=tmp_path)
        assert b"systems/a.conf.json:5:16: E202 " in done.stdout.splitlines()[1], folder
        assert done.stderr == b""


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_code_that_is_none_is_wrong_use(project: Path, option: str) -> None:
    """It would choose nothing in silence; families and small letters are fine."""
    done = mailweir("check", option, "E101,E999", folder=project)
    assert (done.returncode, done.stderr) == (2, b"error: no code 'E999'. Codes: mailweir list codes\n")
    done = mailweir("check", option, "E302", folder=project)
    assert (done.returncode, done.stderr) == (2, b"error: no code 'E302'. Did you mean 'W302'?\n")
    assert mailweir("check", option, "e2,W", folder=project).returncode == 1


def test_codes_in_the_settings_that_are_none_are_told_by_every_verb(project: Path) -> None:
    """Whatever else they choose, they do not hide that they choose nothing."""
    (project / "systems" / "a.conf.json").write_text(FIXED)
    (project / "mailweir.json").write_text('{"select": ["E1"], "ignore": {"E2": "why", "": "why"}}')
    done = mailweir("check", "--format", "concise", folder=project)
    assert done.stdout == b"mailweir.json:1:44: E203 `ignore` names no code\n"
    assert mailweir("graph", folder=project).returncode == 3


def test_settings_are_repaired_with_the_rest(project: Path) -> None:
    """What is called fixable is fixed, and shown by `--diff`."""
    (project / "systems" / "a.conf.json").write_text(FIXED)
    (project / "mailweir.json").write_text('{"exclud": ["x"]}')
    assert b'+{"exclude": ["x"]}' in mailweir("check", "--diff", folder=project).stdout
    assert mailweir("check", "--fix", folder=project).returncode == 0
    assert (project / "mailweir.json").read_text() == '{"exclude": ["x"]}'


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("mailweir.json", '{"profil": "x"}', "mailweir.json:1:2: E201 unknown property `profil` in mailweir.json"),
        ("mailweir.json", "{}", ""),
        ("test-env.json", '{"port": 587}', ""),
        ("test-env.json", "[]", "test-env.json:1:1: E312 `test-env.json` holds one object of names and values"),
        ("stage-env.json", '{"port": 587, }', "stage-env.json:1:13: E101 trailing comma at the end of the object"),
        ("deep/stage-env.json", "5", "deep/stage-env.json:1:1: E312 `deep/stage-env.json` holds one object of"),
        (".env", "port=587\nb c", ".env:2:1: E314 this line of `.env` cannot be read"),
        ("deep/.env", "port=587\nb c", "deep/.env:2:1: E314 this line of `deep/.env` cannot be read"),
        (".secrets.env", "canary-7 8\n", ".secrets.env:1:1: E314 this line of `.secrets.env` cannot be read"),
        ("expected/a.test.json", '{"pipe": "a", "cases": [{"name": "a", "expect": []}]}', ""),
        ("expected/a.test.json", '{"pipe": "a"', "expected/a.test.json:1:1: E106 this object is never closed"),
    ],
)
def test_a_file_that_holds_no_component_is_checked_as_what_it_is(
    project: Path, name: str, text: str, line: str
) -> None:
    """Settings, values and tests may be named; nothing asks them for a `type`, and a secret in them is not shown."""
    (project / "systems" / "a.conf.json").write_text(FIXED.replace("587", '"$ENV(port)"'))
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    (project / name).chmod(0o600)
    done = mailweir("check", name, "--format", "concise", "--ignore", "E301,W309", folder=project)
    assert done.stdout.decode().startswith(line)
    assert done.stdout.count(b"\n") == done.returncode == bool(line)
    assert b"canary" not in done.stdout + done.stderr + mailweir("check", name, folder=project).stderr


def test_standard_input_may_stand_for_settings_and_not_for_values(project: Path) -> None:
    """An editor checks settings as they are typed; values are read from their file alone."""
    done = mailweir("check", "-", "--fix", "--stdin-name", "mailweir.json", folder=project, given=b'{"exclud": []}')
    assert done.stdout == b'{"exclude": []}'
    done = mailweir("check", "-", "--stdin-name", ".env", folder=project, given=b"a=1")
    assert (done.returncode, done.stderr) == (
        2,
        b"error: standard input cannot stand for values: check the file .env\n",
    )


def test_faulty_settings_are_located(project: Path) -> None:
    """A misspelt setting is told like any other fault."""
    (project / "systems" / "a.conf.json").write_text(FIXED)
    (project / "mailweir.json").write_text('{"exclud": ["x"]}')
    done = mailweir("check", folder=project)
    assert b"error[E201]: unknown property `exclud` in mailweir.json\n --> mailweir.json:1:2" in done.stderr
    assert done.returncode == 1


def test_a_change_is_checked_again_while_watching(project: Path) -> None:
    """A save of a file runs the check again; stopping ends it."""
    (project / "systems" / "a.conf.json").write_text(FIXED)
    command = [str(Path(sys.executable).with_name("mailweir")), "check", "--watch"]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stderr is not None
        seen = b""
        give_up = time.monotonic() + 60
        while b"E101" not in seen and time.monotonic() < give_up:
            if select.select([process.stderr], [], [], 0.3)[0]:
                seen += process.stderr.read(65536)
            elif b"Watching" in seen:
                # The watcher may be ready a moment after it says so: save until it has seen one.
                (project / "systems" / "a.conf.json").write_text(SYSTEM + " " * len(seen))
        process.terminate()
    assert seen.startswith(b"All checks passed: 1 system in 1 file.\nWatching")
    assert b"error[E101]" in seen


def test_documents_while_watching_are_a_line_each(project: Path) -> None:
    """One for each run, until nobody reads them any more."""
    file = project / "systems" / "a.conf.json"
    file.write_text(FIXED)
    command = [str(Path(sys.executable).with_name("mailweir")), "check", "--watch", "--json"]
    nobody = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=nobody, bufsize=0) as process:
        assert process.stdout is not None
        seen = b""
        give_up = time.monotonic() + 60
        texts = [SYSTEM, FIXED]
        while seen.count(b"\n") < 3 and time.monotonic() < give_up:
            if select.select([process.stdout], [], [], 0.3)[0]:
                seen += process.stdout.read(65536)
            elif seen:
                texts.reverse()
                file.write_text(texts[0] + " " * len(seen))
        documents = [json.loads(line) for line in seen.splitlines()[:3]]
        process.stdout.close()
        while process.poll() is None and time.monotonic() < give_up:
            texts.reverse()
            file.write_text(texts[0])
            time.sleep(0.3)
        process.terminate()
    assert [document["command"] for document in documents] == ["check"] * 3
    assert documents[0]["ok"]
    assert process.returncode in {0, 1}


@pytest.mark.parametrize("style", ["junit", "sarif"])
def test_a_format_of_one_report_is_not_for_watching(project: Path, style: str) -> None:
    """Two of them after each other are no document."""
    done = mailweir("check", "--watch", "--format", style, folder=project)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_check_opens_no_socket(project: Path) -> None:
    """With sockets forbidden the check runs as ever."""
    code = (
        "import sys\n"
        "def forbid(event, arguments):\n"
        "    if event.startswith('socket.'):\n"
        "        raise RuntimeError(event)\n"
        "sys.addaudithook(forbid)\n"
        "from mailweir.cli.main import main\n"
        "sys.exit(main(['check']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"fixable with" in done.stderr
