"""A canary in every place that a secret can have, told wrong there on purpose: no verb and no format shows one.

`tests/test_canary.py` drives every verb over secrets that are where they belong; here they are where people put them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

CANARIES = {
    "variable": "c4nary/A+variable=1",
    "word": "c4nary B & word",
    "feed": "c4nary-C%feed",
    "dotenv": "c4nary-D#dotenv",
    "profile": "c4nary-E-profile",
    "login": "c4nary-F-login",
    "file": 'c4nary-G-file-\\"é',
    "folder": "c4nary-H-folder",
    "service": "c4nary-I-service",
    "command": "c4nary-J-command",
    "url": "c4nary-K-url",
    "odd": "c4nary/L@odd?x#y",
    "chosen": "c4nary-M-chosen",
    "other": "c4nary-N-other",
    "nested": "c4nary-O-nested",
    "literal": "c4nary-P-literal",
    "torn": "c4nary-Q-torn",
    "unused": "c4nary-R-unused",
    "twice": "c4nary-S-twice",
    "broken": "c4nary-T-broken",
    "name": "c4nary-U-name",
    "number": "4417229",
}
KNOWN = ("variable", "file", "folder", "service", "command")


def login(name: str) -> str:
    """A URL with a login."""
    return f"smtp://me:{CANARIES[name]}@mail.example.com:25"


def depends(condition: str, **alternatives: object) -> dict[str, object]:
    """Properties that depend on a value."""
    return {"$conditional_properties": {"condition": condition, "alternatives": alternatives}}


def encoded(name: str) -> list[str]:
    """A secret in the forms that programs and logs give it."""
    raw = CANARIES[name].encode()
    plain = b64encode(b"\0me\0" + raw).decode()
    return [plain, b64encode(raw).decode(), quote(CANARIES[name], safe=""), quote_plus(CANARIES[name]), raw.hex()]


SYSTEMS = [
    {
        "_id": "first",
        "type": "system:smtp",
        "url": login("url"),
        "comment": [
            "was " + login("odd").replace("/L@odd?x#y", ""),
            *(form for name in KNOWN for form in encoded(name)),
        ],
        "smtp_username": "me",
        "smtp_password": "$SECRET(variable)",
        "oauth": {"token": CANARIES["literal"], "client_secret": "$SECRET(file)", "refresh_token": "$SECRET(folder)"},
        "servers": [{"url": login("odd"), "smtp_password": "$ENV(word)", "prt": 25}],
        "tls": "$SECRET(service)",
        "helo": f"x {CANARIES['file']} {CANARIES['service']} y",
        "socket": "$SECRET(command)",
        "smtp_prt": 25,
    },
    {
        "_id": "second",
        "type": "system:smtp",
        "smtp_port": "$ENV(feed)",
        "smtp_username": "me",
        "smtp_password": ["$ENV(spare-of-profile)", int(CANARIES["number"])],
        "tls_client_key_password": int(CANARIES["number"]),
        **depends(
            "$ENV(node-env)",
            test={"smtp_password": CANARIES["chosen"], "smtp_srver": "x"},
            prod={
                "smtp_password": CANARIES["other"],
                "smtp_srver": "x",
                "url": login("other"),
                **depends("$ENV(unset)", a={"smtp_password": CANARIES["nested"], "tls": login("nested")}),
            },
        ),
    },
    {"_id": "third", "type": login("url")},
    {"_id": "fourth", "type": "system:smtp", **depends("$ENV(mail-password)", a={}), login("name"): 1},
]
PIPES = [
    {
        "_id": "mails",
        "type": "pipe",
        "source": {"type": "dataset", "dataset": login("url")},
        "transform": {"type": "dtl", "rules": {"default": [["add", "a", login("url")], ["copy", login("odd")]]}},
        "sink": {
            "type": "mail",
            "system": login("url"),
            "mail_from": login("url"),
            "recipients": f"{login('odd')},{CANARIES['file']}",
            "subject_template": f"{CANARIES['file']} {{% if %}}",
            "body_template": f"<a href='{login('url')}'>x</a>\n{{{{ {CANARIES['variable']} }}}} {{% nope %}}",
        },
        "pump": {"schedule_interval": "$ENV(feed)", "password": CANARIES["literal"]},
    },
    {
        "_id": "entities",
        "type": "pipe",
        "source": {"type": "embedded", "entities": [{"_id": login("url")}, {"_id": login("url")}, {"token": 1}]},
        "sink": {"type": "dataset", "dataset": login("url")},
    },
]
# In a project of its own: beside components of which little is known nothing is said of names.
NAMES = [
    {
        "_id": "mails",
        "type": "pipe",
        "source": {"type": "dataset", "dataset": login("url")},
        "sink": {"type": "mail", "system": login("odd"), "mail_from": "a@example.com", "recipients": "b@example.com"},
    }
]
ways = [
    ["check"],
    ["check", "--color", "always"],
    *(["check", "--format", style] for style in ("concise", "json", "github", "junit", "sarif")),
    ["check", "--diff"],
    ["check", "--no-env"],
    ["check", "--no-secrets", "--format", "json"],
    ["check", "--no-env", "--no-secrets", "--format", "sarif"],
    ["check", "--profile", "prod"],
    ["check", "-vv"],
    ["check", "-", "--stdin-name", "systems/more.conf.json"],
    ["list"],
    ["list", "--json"],
    ["list", "--values"],
    ["list", "--values", "--json"],
    ["list", "--refs", "mails"],
    ["list", "--refs", "none-of-them"],
    *(["graph", "--partial", "--format", style] for style in ("text", "mermaid", "dot", "json", "svg")),
    ["graph"],
    ["explain", "system:smtp"],
    ["explain", "W302"],
    ["explain", "mailweir.json"],
    ["schema", "--editor", "none"],
    ["secret", "list"],
    ["secret", "list", "--json"],
    ["doctor"],
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a canary in every place, and faults around each."""
    root = tmp_path_factory.mktemp("canaries")
    files = {
        "mailweir.json": json.dumps({"secrets": {"directory": "vault", "token": CANARIES["literal"]}, "profil": "x"}),
        "systems/a.conf.json": json.dumps(SYSTEMS),
        "systems/lines.conf.json": json.dumps(SYSTEMS, indent=2).replace('"_id": "', '"_id": "l-'),
        "systems/torn.conf.json": f"{{'password': {CANARIES['torn']}, \"url\": \"{login('torn')}, 'x': \n}}",
        "pipes/b.conf.json": json.dumps(PIPES, indent=1),
        "names/mailweir.json": "{}",
        "names/pipes/c.conf.json": json.dumps(NAMES),
        ".env": f"mail-password={CANARIES['dotenv']}\nspare={CANARIES['dotenv']}\nspare={CANARIES['twice']}\n"
        f"node-env=test\nmail-password={CANARIES['twice']}\nbroken {CANARIES['broken']}\n",
        "test-env.json": json.dumps({"spare-of-profile": CANARIES["profile"], "link": login("login"), "spare": 1}),
        "prod-env.json": json.dumps({"node-env": "prod", "spare-of-profile": CANARIES["profile"]}),
        ".secrets.env": f"file='{CANARIES['file']}'\nunused={CANARIES['unused']}\nunused={CANARIES['twice']}\n",
        "vault/folder": CANARIES["folder"],
        "service/service": CANARIES["service"] + "\n",
        "command.py": f"import sys\nprint({CANARIES['command']!r}) if sys.argv[1] == 'command' else sys.exit("
        f"{CANARIES['command']!r})\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / ".secrets.env").chmod(0o600)
    return root


def said(project: Path, arguments: list[str]) -> str:
    """All that a run prints."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mailweir")), *arguments],
        cwd=project,
        input=json.dumps(SYSTEMS).encode(),
        capture_output=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "CREDENTIALS_DIRECTORY": str(project / "service"),
            "MAILWEIR_SECRETS_COMMAND": f"{sys.executable} command.py {{name}}",
            "MAILWEIR_SECRET_VARIABLE": CANARIES["variable"],
            "WORD": CANARIES["word"],
            "feed": f"https://me:{CANARIES['feed']}@example.com",
        },
    )
    assert done.returncode in {0, 1, 2, 3}
    return (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("arguments", ways, ids=" ".join)
def test_no_canary_is_shown(project: Path, arguments: list[str]) -> None:
    """Not as it is written, not in base64, not in a URL, not in hex, and no part of it that could be known again."""
    text = said(project, arguments)
    assert "Traceback" not in text
    assert text
    for name, canary in CANARIES.items():
        for form in (canary, json.dumps(canary)[1:-1], repr(canary)[1:-1], *encoded(name)):
            assert form not in text, name
    assert "c4nary" not in text
    for core in ("YzRuYXJ5", "M0bmFye", "0bmFyeS", "63346e617279"):
        assert core not in text


def test_the_places_are_told(project: Path) -> None:
    """The faults around the canaries are there: what is hidden was about to be shown."""
    text = said(project, ["check", "--format", "concise"])
    codes = {line.split(": ")[1].split(" ")[0] for line in text.splitlines() if ": " in line}
    expected = {"E201", "E202", "E203", "E205", "E304", "E305", "E308", "E310", "E313", "E314", "E401", "E501", "E503"}
    assert expected | {"W216", "W217", "W302", "W318"} <= codes


def test_the_canaries_would_be_found(project: Path) -> None:
    """Each stands in a file or in the environment of the runs."""
    files = "".join(path.read_text(encoding="utf-8") for path in project.rglob("*") if path.is_file())
    given = files + CANARIES["variable"] + CANARIES["word"] + CANARIES["feed"]
    assert not [
        name for name, canary in CANARIES.items() if canary not in given and json.dumps(canary)[1:-1] not in given
    ]
