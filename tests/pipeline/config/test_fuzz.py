"""Any bytes end in a configuration or in located faults: never an exception, never the value of a secret."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.formats import as_json, github, junit, sarif
from pipeline.config.installed import installed
from pipeline.config.lookup import Place
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.show import concise, render
from pipeline.config.text import read
from pipeline.secret import Secret

registry = installed()
CANARY = "canary-b81e3c"
LITERAL = "canary-in-the-file"
lookup = Lookup(
    (Place("variables", "variables", {"port": "587", "empty": "", "list": [1], "env": "$SECRET(password) {{ x }}"}),),
    (Place("secrets", "secrets", {"password": Secret(CANARY)}),),
)
SYSTEM = f"""[{{
  "_id": "smtp", "type": "system:smtp", "smtp_server": "mail.example.com", "smtp_port": "$ENV(port)",
  "use_tls": true, "smtp_username": "a-$ENV(port)", "smtp_password": "$SECRET(password)",
  "oauth": {{"client_secret": "{LITERAL}", "url": "https://example.com", "refresh_token": "$SECRET(password)"}},
  "$conditional_properties": {{"condition": "$ENV(port)", "alternatives": {{"587": {{"verbose": true}}}}}}
}}, {{
  "_id": "mails", "type": "pipe", "comment": ["free", "words"],
  "source": {{"type": "conditional", "condition": "x",
    "alternatives": {{"x": {{"type": "embedded", "entities": []}}}}}},
  "transform": [{{"type": "lower_keys"}}, {{"type": "dtl", "rules": {{"default": [
    ["add", "a", ["hops", {{"datasets": ["people p"], "where": ["eq", "_S.a", "p._id"]}}]],
    ["add", "key", ["encrypt", "$SECRET(password)", "_S.a"]]]}}}}],
  "sink": {{"type": "mail", "system": "smtp", "mail_from": "a@example.com", "recipients": "b@example.com",
    "subject_template": "Hello {{{{ name }}}}", "body_template": "{{% for o in x %}}\\n{{{{ o }}}}{{% endfor %}}"}},
  "pump": {{"schedule_interval": 5, "mode": "manual"}}
}}]
"""


def outputs(project: Project) -> str:
    """Everything that any format says of the problems."""
    problems, texts, masks, scrubber = project.problems, project.texts, project.masks, project.scrubber
    parts = [
        render(problems, texts, masks=masks, scrubber=scrubber, color=True),
        concise(problems, texts, masks=masks, scrubber=scrubber),
        str(as_json(problems, texts, masks=masks, scrubber=scrubber)),
        github(problems, texts, masks=masks, scrubber=scrubber),
        junit(problems, texts, masks=masks, scrubber=scrubber),
        str(sarif(problems, texts, masks=masks, scrubber=scrubber, version="1")),
    ]
    return "".join(parts)


def compiled(data: bytes) -> Project:
    """The project of one file, checked for what must hold of any."""
    document = read(data, "a.conf.json")
    project = compile_project([document], registry, lookup)
    for problem in project.problems:
        assert problem.message
        assert problem.code[0] in "EW"
        for span in (problem.span, *(label.span for label in (*problem.also, *problem.related))):
            assert 0 <= span.start <= span.end <= len(document.text)
    if document.root is None:
        assert project.problems
    assert CANARY not in outputs(project)
    return project


def test_the_config_that_is_mutated_is_right() -> None:
    """Mutations start from a configuration whose only faults are the two that it shows on purpose."""
    assert [problem.code for problem in compiled(SYSTEM.encode()).problems] == ["W302", "E305"]


@settings(max_examples=300)
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe{\x00}\x00")
@example(b'{"_id": "\\ud800", "type": "pipe"}')
@example(b'{"type": "system:smtp", "_id": "a", "smtp_port": 1e400}')
def test_any_bytes_are_read(data: bytes) -> None:
    """Bytes that nobody wrote on purpose."""
    compiled(data)


@settings(max_examples=300)
@given(st.data())
def test_any_mutation_of_a_configuration_is_read(data: st.DataObject) -> None:
    """Parts taken out, doubled, moved or replaced: what people do to files, and what disks do."""
    text = SYSTEM
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        pieces = [
            "",
            '"',
            "'",
            ",",
            "{",
            "}",
            "[",
            "]",
            ":",
            "\n",
            "\\",
            "$ENV(port)",
            "$SECRET(password)",
            "$ENV(",
            "null",
        ]
        new = data.draw(st.one_of(st.sampled_from(pieces), st.text(max_size=5), st.just(text[start:end] * 2)))
        text = text[:start] + new + text[end:]
    compiled(text.encode("utf-8", "surrogatepass"))


keys = ["_id", "type", "source", "sink", "transform", "smtp_port", "smtp_password", "comment", "rules", "x"]
texts = [
    "pipe",
    "system:smtp",
    "embedded",
    "mail",
    "dtl",
    "$ENV(port)",
    "$SECRET(password)",
    "$ENV(list)",
    "$ENV(env)",
    "",
]
values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(texts), st.text(max_size=4)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(keys), inner, max_size=5)),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(keys), values), st.sampled_from(["pipe", "system:smtp", "metadata"]))
def test_any_value_may_stand_where_another_belongs(properties: dict[str, object], kind: str) -> None:
    """Right JSON of any shape under names that mean something."""
    compiled(json.dumps({"_id": "a", "type": kind, **properties}).encode())


@given(st.integers(0, len(SYSTEM)))
def test_a_file_cut_off_anywhere_is_read(end: int) -> None:
    """Half a file, as an editor or a full disk leaves it, is told as one that is not closed."""
    project = compiled(SYSTEM[:end].encode())
    assert end >= len(SYSTEM.rstrip()) or project.errors


@given(st.data())
def test_a_literal_password_is_masked_while_its_name_stands_before_it(data: st.DataObject) -> None:
    """Faults elsewhere in the file do not show what stands under a secret's name."""
    place = SYSTEM.index('"client_secret"')
    start = data.draw(st.one_of(st.integers(0, place - 30), st.integers(place + 60, len(SYSTEM))))
    text = SYSTEM[:start] + data.draw(st.sampled_from(['"', ",", "}", "]", "{", "\n", "x", "'"])) + SYSTEM[start:]
    assert LITERAL not in outputs(compiled(text.encode()))
